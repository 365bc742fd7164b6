package import JSON
internal import OrderedCollections
internal import Yams

extension YAMLText {
  /// A value as one YAML document that ends with a line feed, members in their order.
  package static func text(_ value: JSONValue) -> String {
    // Texts that YAML cannot hold are escaped by the emitter, so nothing is left that could fail.
    (try? Yams.serialize(node: node(value), width: -1, allowUnicode: true)) ?? value.text + "\n"
  }

  private static func node(_ value: JSONValue) -> Node {
    switch value {
    case .null: return Node("null", Tag(.null), .plain)
    case .bool(let flag): return Node(flag ? "true" : "false", Tag(.bool), .plain)
    case .int(let number): return Node(String(number), Tag(.int), .plain)
    case .double: return Node(value.text, Tag(.float), .plain)
    case .string(let text):
      if text.contains("\n"), !text.hasPrefix(" "), !text.hasPrefix("\n"),
        !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" })
      {
        return Node(text, Tag(.str), .literal)
      }
      return Node(text, Tag(.str), YAMLScalar.needsQuotes(text) ? .doubleQuoted : .any)
    case .array(let values): return Node(values.map(node), Tag(.seq), values.isEmpty ? .flow : .block)
    case .object(let members):
      return Node(
        members.map { (Node($0.key, Tag(.str), YAMLScalar.needsQuotes($0.key) ? .doubleQuoted : .any), node($0.value)) }, Tag(.map),
        members.isEmpty ? .flow : .block)
    }
  }
}
