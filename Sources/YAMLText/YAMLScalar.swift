package import JSON

/// How a scalar is read: YAML 1.2's core schema, so that `yes`, `on` and `12:30` are texts.
package enum YAMLScalar {
  /// - Parameter isPlain: false for a quoted scalar or a block, which is always a text.
  package static func value(_ text: String, isPlain: Bool) -> JSONValue {
    guard isPlain else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    guard let first = text.utf8.first, first &- 0x30 < 10 || first == 0x2D || first == 0x2B || first == 0x2E else { return .string(text) }
    if let int = Int64(text) { return .int(int) }
    guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 || "-+.eE".utf8.contains($0) }), let double = Double(text), double.isFinite else {
      return .string(text)
    }
    return .double(double)
  }
}
