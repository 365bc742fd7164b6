package import JSON

/// What a strict reader has to say of the text of a patch, beside what it says of the patched object: a value has its members once, but its text may
/// have repeated them (kubernetes-wire C3, C4).
package enum PatchText {
  /// `duplicate field "spec.suspend"`, in the order of the text.
  package static func strictErrors(merge root: JSONView) -> [String] {
    var decoder = SchemaDecoder(kind: "")
    _ = try? decoder.decode(root, as: .anything)
    return decoder.strictErrors
  }

  /// `json patch duplicate field "[0].value"` and `json patch unknown field "[0].zork"`. Nothing is said of what is no list of objects: it is refused.
  package static func strictErrors(json root: JSONView) -> [String] {
    var decoder = SchemaDecoder(kind: "")
    _ = try? decoder.decode(root, as: operations)
    return decoder.strictErrors.map { "json patch \($0)" }
  }

  /// The types of the members are JSONPatch's business.
  private static let operations = Schema.array(
    "", of: .object("", ["op", "path", "from", "value"].map { Schema.anything.field($0) }))
}
