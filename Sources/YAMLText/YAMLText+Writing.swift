package import JSON

extension YAMLText {
  /// A value as one YAML document that ends with a line feed, members in their order. See ``YAMLWriter``, which does it in pieces.
  package static func text(_ value: JSONValue) -> String {
    var writer = YAMLWriter(value.encoded)
    while writer.advance() {}
    return String(decoding: writer.text, as: UTF8.self)
  }
}
