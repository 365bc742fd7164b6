internal import JSON
internal import OrderedCollections

/// The set as one short text: steps with commas between, what is below a step in parentheses, `*` behind a step that is itself a member and has more below
/// it: `metadata(labels(app)),spec(steps(@name=build*(image,name)))`. A field is its name, `@` begins a key (its members joined by `&`), `+` a value, `^` a
/// place. A value that is no text is its JSON behind `~#`. `~` takes the meaning from the character after it; `~0` is the empty name.
extension FieldSet {
  private static let special = Set("(),*=&@+^~".unicodeScalars)

  package var compact: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    var isFirst = true
    for element in elements {
      if !isFirst { text += "," }
      isFirst = false
      switch element {
      case .field(let name): Self.write(name, to: &text)
      case .key(let members):
        text += "@"
        for (index, member) in members.enumerated() {
          if index > 0 { text += "&" }
          Self.write(member.name, to: &text)
          text += "="
          Self.write(member.value, to: &text)
        }
      case .value(let value):
        text += "+"
        Self.write(value, to: &text)
      case .index(let index): text += "^\(index)"
      }
      let node = self[element]
      guard !node.children.isEmpty else { continue }
      text += node.isMember ? "*(" : "("
      node.children.write(to: &text)
      text += ")"
    }
  }

  private static func write(_ value: JSONValue, to text: inout String) {
    if let string = value.string { return write(string, to: &text) }
    text += "~#"
    write(value.text, to: &text)
  }

  private static func write(_ name: String, to text: inout String) {
    if name.isEmpty { text += "~0" }
    for scalar in name.unicodeScalars {
      if special.contains(scalar) { text.unicodeScalars.append("~") }
      text.unicodeScalars.append(scalar)
    }
  }

  /// Reads what ``compact`` gave; nil for anything else.
  package init?(compact text: String) {
    self.init()
    var reader = CompactReader(rest: Substring(text).unicodeScalars)
    guard text.isEmpty || reader.read(into: &self, depth: 0), reader.rest.isEmpty else { return nil }
  }
}

private struct CompactReader {
  private static let maximumDepth = 512

  var rest: Substring.UnicodeScalarView

  private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  /// One or more steps, up to the end or a closing parenthesis.
  mutating func read(into set: inout FieldSet, depth: Int) -> Bool {
    guard depth < Self.maximumDepth else { return false }
    repeat {
      guard let element = element() else { return false }
      var node = FieldSet.Node()
      let isMember = skip("*")
      if skip("(") {
        guard read(into: &node.children, depth: depth + 1), skip(")") else { return false }
        node.isMember = isMember
      } else {
        node.isMember = true
      }
      set[element] = node
    } while skip(",")
    return true
  }

  private mutating func element() -> PathElement? {
    if skip("@") {
      var members: [PathElement.KeyMember] = []
      // Never so in Kubernetes, but `k:{}` can be read, so it can be written.
      if rest.isEmpty || ["*", "(", ")", ","].contains(rest.first) { return .key([]) }
      repeat {
        guard case .string(let name) = token(), skip("="), let value = token() else { return nil }
        members.append(PathElement.KeyMember(name, value))
      } while skip("&")
      return .key(members)
    }
    if skip("+") { return token().map { .value($0) } }
    if skip("^") {
      guard case .string(let digits) = token(), let index = Int(digits) else { return nil }
      return .index(index)
    }
    guard case .string(let name) = token() else { return nil }
    return .field(name)
  }

  /// A text, or the value behind `~#`.
  private mutating func token() -> JSONValue? {
    var text = String.UnicodeScalarView()
    var isEmptyName = false
    var isJSON = false
    while let scalar = rest.first {
      if scalar == "~" {
        rest.removeFirst()
        guard let next = rest.popFirst() else { return nil }
        switch next {
        case "0": isEmptyName = true
        case "#": isJSON = true
        default: text.append(next)
        }
      } else if "(),*=&@+^".unicodeScalars.contains(scalar) {
        break
      } else {
        text.append(scalar)
        rest.removeFirst()
      }
    }
    guard isEmptyName || !text.isEmpty else { return nil }
    return isJSON ? try? JSONValue(parsing: String(text)) : .string(String(text))
  }
}
