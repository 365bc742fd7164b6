internal import Yams

extension YAMLText {
  /// One step on the way to a value.
  package enum Step: Sendable, Hashable {
    case member(String)
    case element(Int)
  }

  /// The line, from 1, at which a value stands; that of the nearest value around it when it is missing. For messages. nil for what is no YAML.
  package static func line(of path: [Step], in text: String) -> Int? {
    guard var node = try? Parser(yaml: text, encoding: .utf8).singleRoot() else { return nil }
    var line = node.mark?.line
    for step in path {
      switch (step, node) {
      case (.member(let name), .mapping(let mapping)):
        guard let (key, value) = mapping.first(where: { $0.key.string == name }) else { return line }
        // A list begins a line below its name; people look for the name.
        line = key.mark?.line ?? line
        node = value
      case (.element(let index), .sequence(let sequence)):
        guard sequence.indices.contains(index) else { return line }
        node = sequence[index]
        line = node.mark?.line ?? line
      default: return line
      }
    }
    return line
  }
}
