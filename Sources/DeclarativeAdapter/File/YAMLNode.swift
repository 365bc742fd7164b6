internal import JSON
internal import OrderedCollections
internal import YAMLText
internal import Yams

/// One value of the file that knows its place.
struct YAMLNode: Sendable {
  indirect enum Content: Sendable {
    case scalar(JSONValue)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  struct Entry: Sendable {
    var name: String
    var line: Int
    var column: Int
    var value: YAMLNode
  }

  var content: Content
  var place: Place

  init(content: Content, place: Place) {
    self.content = content
    self.place = place
  }

  /// A node that stands for something the file left out.
  static func missing(at place: Place) -> YAMLNode { YAMLNode(content: .mapping([]), place: place) }

  /// Reads one document. Scalars follow YAML 1.2's core schema: `yes` and `on` are texts.
  static func parse(_ text: String, file: String) throws(AdapterFileErrors) -> YAMLNode {
    func fail(_ mark: Mark?, _ message: String) -> AdapterFileErrors {
      AdapterFileErrors([AdapterFileProblem(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0, field: "", message: message)])
    }
    let root: Node?
    do {
      root = try Parser(yaml: text, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
        var hint = ""
        if problem.contains("mapping values are not allowed") {
          hint = "; an expression that holds ': ' must be quoted or written as a block (>-)"
        }
        if problem.contains("found character that cannot start any token") || problem.contains("did not find expected") {
          hint = "; inside { } and [ ] an expression must be quoted"
        }
        throw fail(mark, "not YAML: \(problem)\(hint)")
      case .duplicatedKeysInMapping(let names, let context):
        throw fail(context.mark, "the key \(names.map { "'\($0)'" }.joined(separator: ", ")) is there twice")
      default: throw fail(nil, "not YAML: \(error)")
      }
    } catch {
      throw fail(nil, "not YAML: \(error)")
    }
    guard let root else { throw fail(nil, "the file is empty") }
    return YAMLNode(root, field: "")
  }

  private init(_ node: Node, field: String) {
    place = Place(line: node.mark?.line ?? 0, column: node.mark?.column ?? 0, field: field)
    switch node {
    case .scalar(let scalar): content = .scalar(YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain))
    case .sequence(let sequence): content = .sequence(sequence.enumerated().map { YAMLNode($1, field: "\(field)[\($0)]") })
    case .mapping(let mapping):
      content = .mapping(
        mapping.map { pair in
          let name = pair.key.string ?? ""
          return Entry(
            name: name, line: pair.key.mark?.line ?? 0, column: pair.key.mark?.column ?? 0,
            value: YAMLNode(pair.value, field: Place.member(name, of: field)))
        })
    case .alias: content = .scalar(.null)
    }
  }

  /// The same without places.
  var json: JSONValue {
    switch content {
    case .scalar(let value): return value
    case .sequence(let nodes): return .array(nodes.map(\.json))
    case .mapping(let entries):
      var object = JSONObject(minimumCapacity: entries.count)
      for entry in entries { object[entry.name] = entry.value.json }
      return .object(object)
    }
  }

  var scalar: JSONValue? { if case .scalar(let value) = content { value } else { nil } }
  var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
  var elements: [YAMLNode]? { if case .sequence(let nodes) = content { nodes } else { nil } }
  subscript(_ name: String) -> YAMLNode? { entries?.first { $0.name == name }?.value }

  /// The word that error messages use.
  var kind: String {
    switch content {
    case .scalar(let value): value.typeName
    case .sequence: "list"
    case .mapping: "mapping"
    }
  }
}

/// Where something stands in an adapter file.
struct Place: Sendable, Hashable, CustomStringConvertible {
  var line: Int
  var column: Int
  /// For example `runs.get.request`.
  var field: String

  static func member(_ name: String, of field: String) -> String {
    let plain = name.utf8.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x5F || $0 == 0x2D }
    let name = plain && !name.isEmpty ? name : "\"\(name)\""
    return field.isEmpty ? name : "\(field).\(name)"
  }

  var description: String { "\(field) (line \(line))" }
}
