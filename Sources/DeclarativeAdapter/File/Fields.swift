internal import JSON

/// The members of one mapping of the file, read under the names that are allowed there.
struct Fields {
  let node: YAMLNode
  let problems: Problems
  private let members: [String: YAMLNode]

  /// Reports what is no mapping and every name that is not in `allowed`.
  init(_ node: YAMLNode, _ problems: Problems, allowed: [String]) {
    self.node = node
    self.problems = problems
    guard let entries = node.entries else {
      problems.add(node.place, "must be a mapping, not \(article(node.kind))")
      members = [:]
      return
    }
    var members: [String: YAMLNode] = [:]
    for entry in entries {
      guard allowed.contains(entry.name) else {
        let hint =
          nearest(entry.name, in: allowed).map { "; did you mean '\($0)'?" }
          ?? (allowed.count <= 40 ? "; known are \(allowed.joined(separator: ", "))" : "")
        problems.add(
          Place(line: entry.line, column: entry.column, field: Place.member(entry.name, of: node.place.field)),
          "unknown key '\(entry.name)'\(hint)")
        continue
      }
      members[entry.name] = entry.value
    }
    self.members = members
  }

  subscript(_ name: String) -> YAMLNode? { members[name] }
  var place: Place { node.place }

  func place(of name: String) -> Place {
    members[name]?.place ?? Place(line: node.place.line, column: node.place.column, field: Place.member(name, of: node.place.field))
  }

  func required(_ name: String) -> YAMLNode? {
    if let node = members[name] { return node }
    if node.entries != nil { problems.add(place(of: name), "is missing") }
    return nil
  }

  func text(_ name: String, required isRequired: Bool = false) -> String? {
    guard let node = isRequired ? required(name) : members[name] else { return nil }
    switch node.scalar {
    case .string(let text)?: return text
    case .int(let number)?: return String(number)
    case .double?, .bool?:
      problems.add(node.place, "must be a text; put it in quotes")
      return nil
    default:
      problems.add(node.place, "must be a text, not \(article(node.kind))")
      return nil
    }
  }

  func flag(_ name: String) -> Bool? {
    guard let node = members[name] else { return nil }
    if let flag = node.scalar?.bool { return flag }
    problems.add(node.place, "must be true or false, not \(article(node.kind))")
    return nil
  }

  func int(_ name: String, _ range: ClosedRange<Int>) -> Int? {
    guard let node = members[name] else { return nil }
    guard let value = node.scalar?.int, range.contains(Int(value)) else {
      problems.add(node.place, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return Int(value)
  }

  /// `30s`, `500ms`, `1h30m`.
  func duration(_ name: String) -> Duration? {
    guard let node = members[name] else { return nil }
    if let text = node.scalar?.string, let duration = Duration(adapterText: text) { return duration }
    problems.add(node.place, "must be a span of time such as 500ms, 30s, 5m or 1h30m")
    return nil
  }

  func texts(_ name: String) -> [String]? {
    guard let node = members[name] else { return nil }
    guard let elements = node.elements else {
      problems.add(node.place, "must be a list of texts")
      return nil
    }
    return elements.compactMap { element in
      if let text = element.scalar?.string { return text }
      problems.add(element.place, "must be a text, not \(article(element.kind)); put numbers in quotes")
      return nil
    }
  }

  /// One of the words of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(_ name: String, _: Word.Type) -> Word? where Word.RawValue == String {
    guard let text = text(name) else { return nil }
    if let word = Word(rawValue: text) { return word }
    problems.add(place(of: name), "must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), not '\(text)'")
    return nil
  }
}

/// "a list", "an object", "null".
func article(_ kind: String) -> String {
  if kind == "null" { return kind }
  return ("aeio".contains(kind.first!) ? "an " : "a ") + kind
}

extension Duration {
  /// Numbers with units h, m, s, ms in a row; nil for anything else.
  init?(adapterText text: String) {
    var total = Duration.zero
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int64(digits), number < 1_000_000_000 else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      switch unit {
      case "h": total += .seconds(number * 3600)
      case "m": total += .seconds(number * 60)
      case "s": total += .seconds(number)
      case "ms": total += .milliseconds(number)
      default: return nil
      }
      rest = rest.dropFirst(unit.count)
    }
    self = total
  }

  /// Whole seconds, rounded up.
  var wholeSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
