internal import JSON
internal import KubeWire
internal import Translation

extension APIRequest {
  /// Reads an object of the request's kind. Unknown and repeated fields are dropped, told in Warnings or refused, as `validation` says
  /// (kubernetes-wire C3).
  ///
  /// - Parameters:
  ///   - found: what was found before, in the patch that made the object.
  ///   - refuse: makes the refusal of a text; `isStrict` for unknown and repeated fields, else a type is wrong.
  func decoded(
    _ root: JSONView, _ validation: FieldValidation, found: [String] = [], refuse: (_ text: String, _ isStrict: Bool) -> StatusError
  ) throws(StatusError) -> JSONValue {
    var decoder = SchemaDecoder(kind: kind.kind)
    let object: JSONValue
    do throws(SchemaDecoder.TypeMismatch) {
      object = try decoder.decode(root, as: kind.schema)
    } catch {
      throw refuse(error.message, false)
    }
    let errors = found + decoder.strictErrors
    switch validation {
    case .ignore: break
    case .warn: for error in errors { context.warn(error) }
    case .strict: if !errors.isEmpty { throw refuse(errors.joined(separator: ", "), true) }
    }
    return object
  }
}
