internal import CEL
internal import JSON
internal import OrderedCollections

/// Compiles what stands in a file, and reports what does not compile with its line.
struct TemplateCompiler {
  let problems: Problems
  let declarations: Declarations
  private let environment: CELEnvironment

  init(_ declarations: Declarations, _ problems: Problems) {
    self.declarations = declarations
    self.problems = problems
    environment = declarations.makeEnvironment()
  }

  /// nil after a reported mistake.
  func value(_ node: YAMLNode?) -> ValueTemplate? {
    guard let node else { return nil }
    switch node.content {
    case .scalar(.string(let text)): return compile(text, at: node.place)
    case .scalar(let value): return ValueTemplate(form: .constant(CELValue(value)), place: node.place)
    case .sequence(let nodes): return ValueTemplate(form: .list(nodes.compactMap { value($0) }), place: node.place)
    case .mapping(let entries):
      return ValueTemplate(
        form: .map(entries.compactMap { entry in value(entry.value).map { (name: entry.name, value: $0) } }), place: node.place)
    }
  }

  /// The members of a mapping, one by one.
  func members(_ node: YAMLNode?) -> [(name: String, value: ValueTemplate)] {
    guard let node else { return [] }
    guard let entries = node.entries else {
      problems.add(node.place, "must be a mapping, not \(article(node.kind))")
      return []
    }
    return entries.compactMap { entry in value(entry.value).map { (name: entry.name, value: $0) } }
  }

  /// A field that is an expression or a plain true or false.
  func condition(_ node: YAMLNode?) -> ValueTemplate? {
    guard let node, let template = value(node) else { return nil }
    switch template.form {
    case .program: return template
    case .constant(.bool): return template
    default:
      problems.add(node.place, "must be true, false or one whole expression ${ … }")
      return nil
    }
  }

  /// The pieces of a text in which each expression's value is to be encoded by itself.
  func pieces(_ text: String, at place: Place) -> [ValueTemplate.Piece]? {
    do throws(TextPiecesError) {
      var out: [ValueTemplate.Piece] = []
      for piece in try TextPieces(text).pieces {
        switch piece {
        case .literal(let text): out.append(.literal(text))
        case .expression(let source):
          guard let program = program(source, at: place) else { return nil }
          out.append(.program(program))
        }
      }
      return out
    } catch {
      problems.add(place, error.message)
      return nil
    }
  }

  private func compile(_ text: String, at place: Place) -> ValueTemplate? {
    guard let pieces = pieces(text, at: place) else { return nil }
    if pieces.count == 1, case .program(let program) = pieces[0] { return ValueTemplate(form: .program(program), place: place) }
    if pieces.allSatisfy({ if case .literal = $0 { true } else { false } }) {
      let literal = pieces.reduce(into: "") { if case .literal(let text) = $1 { $0 += text } }
      return ValueTemplate(form: .constant(.string(literal)), place: place)
    }
    return ValueTemplate(form: .text(pieces), place: place)
  }

  private func program(_ source: String, at place: Place) -> CELProgram? {
    do throws(CELError) { return try CELProgram(source, environment: environment) } catch {
      var message = error.message
      if error.line > 0 {
        let line = source.split(separator: "\n", omittingEmptySubsequences: false)[
          min(error.line - 1, source.split(separator: "\n", omittingEmptySubsequences: false).count - 1)]
        message += ", at column \(error.column) of ${\(line)}"
      }
      if error.kind == .check, message.contains("undeclared") {
        message += "; here are: \(declarations.types.keys.joined(separator: ", "))"
      }
      problems.add(place, message)
      return nil
    }
  }
}
