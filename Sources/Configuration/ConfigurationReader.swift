internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import YAMLText
internal import Yams

/// Walks YAML nodes and collects every problem with its line, instead of stopping at the first.
final class ConfigurationReader {
  let file: String
  private(set) var problems: [ConfigurationProblem] = []

  init(file: String) { self.file = file }

  func problem(_ message: String, field: String, at node: Node? = nil) {
    problems.append(ConfigurationProblem(file: file, line: node?.mark?.line ?? 0, field: field, message: message))
  }

  func place(_ node: Node) -> String { "\(file):\(node.mark?.line ?? 0)" }

  /// The members of a mapping; anything not in `known` is a problem that names the nearest known key.
  func mapping(_ node: Node, field: String, known: [String]) -> [String: Node] {
    guard case .mapping(let mapping) = node else {
      problem("must be a mapping of \(known.joined(separator: ", "))", field: field, at: node)
      return [:]
    }
    var members: [String: Node] = [:]
    for (key, value) in mapping {
      guard let name = key.string else { continue }
      guard known.contains(name) else {
        problem("unknown field; known are \(known.joined(separator: ", "))", field: join(field, name), at: key)
        continue
      }
      if members.updateValue(value, forKey: name) != nil { problem("is given twice; remove one", field: join(field, name), at: key) }
    }
    return members
  }

  func sequence(_ node: Node?, field: String) -> [Node] {
    guard let node else { return [] }
    guard case .sequence(let sequence) = node else {
      problem("must be a list", field: field, at: node)
      return []
    }
    return Array(sequence)
  }

  func string(_ node: Node?, field: String) -> String? {
    guard let node else { return nil }
    guard case .scalar(let scalar) = node, node.null == nil else {
      problem("must be a string", field: field, at: node)
      return nil
    }
    return scalar.string
  }

  func required(_ node: Node?, field: String, of parent: Node, remedy: String) -> String {
    guard let node else {
      problem("is missing; \(remedy)", field: field, at: parent)
      return ""
    }
    let value = string(node, field: field) ?? ""
    if value.isEmpty { problem("must not be empty; \(remedy)", field: field, at: node) }
    return value
  }

  func bool(_ node: Node?, field: String) -> Bool? {
    guard let node else { return nil }
    guard let value = node.bool else {
      problem("must be true or false", field: field, at: node)
      return nil
    }
    return value
  }

  func int(_ node: Node?, field: String, _ range: ClosedRange<Int>) -> Int? {
    guard let node else { return nil }
    guard let value = node.int, range.contains(value) else {
      problem("must be a whole number from \(range.lowerBound) to \(range.upperBound)", field: field, at: node)
      return nil
    }
    return value
  }

  func double(_ node: Node?, field: String) -> Double? {
    guard let node else { return nil }
    guard let value = node.float, value > 0 else {
      problem("must be a number above 0", field: field, at: node)
      return nil
    }
    return value
  }

  /// A duration from zero up, as Go writes it: `500ms`, `5s`, `1h30m`; `0` and `0s` are zero.
  func duration(_ node: Node?, field: String) -> Duration? {
    guard let node else { return nil }
    guard let text = node.string, let value = GoDuration.parse(text), value >= .zero else {
      problem("must be a duration such as 500ms, 5s, 10m or 168h (days have no unit: write 24h)", field: field, at: node)
      return nil
    }
    return value
  }

  func choice<Value: RawRepresentable & CaseIterable>(_ node: Node?, field: String, _ type: Value.Type) -> Value?
  where Value.RawValue == String {
    guard let text = string(node, field: field) else { return nil }
    guard let value = Value(rawValue: text) else {
      problem("\"\(text)\" is not one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))", field: field, at: node)
      return nil
    }
    return value
  }

  /// Any YAML value as JSON; scalars are typed as ``YAMLScalar`` says.
  func json(_ node: Node) -> JSONValue {
    switch node {
    case .mapping(let mapping):
      var object = JSONObject()
      for (key, value) in mapping { object[key.string ?? ""] = json(value) }
      return .object(object)
    case .sequence(let sequence): return .array(sequence.map { json($0) })
    case .scalar(let scalar): return YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
    case .alias: return .null
    }
  }

  func join(_ field: String, _ name: String) -> String { field.isEmpty ? name : "\(field).\(name)" }
}
