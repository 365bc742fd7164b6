internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// Reads what a patch has made of an object (kubernetes-wire C3).
struct PatchedObject {
  let request: APIRequest
  let validation: FieldValidation
  /// What the text of the patch is guilty of.
  let strictErrors: [String]

  /// - Throws: 422 for what is no object of the kind and, with Strict, for unknown and repeated fields; 400 for a kind or an apiVersion that is not the object's.
  func decoded(_ patched: JSONValue) throws(StatusError) -> JSONValue {
    let text = patched.text
    let group = request.services.configuration.group
    guard patched["kind"]?.string == request.kind.kind, patched["apiVersion"]?.string == group.apiVersion else {
      throw .badRequest("the apiVersion or the kind of an object cannot be changed by a patch")
    }
    guard let name = patched["metadata"]?["name"]?.string, !name.isEmpty else {
      throw .badRequest("the name of the object (\(request.info.name) based on URL) was undeterminable: name must be provided")
    }
    let document: JSONDocument
    do throws(JSONError) { document = try JSONDocument(text) } catch { throw Self.refusal(text, "\(error)") }
    return try request.decoded(document.root, validation, found: strictErrors) { why, isStrict in
      Self.refusal(text, isStrict ? "strict decoding error: \(why)" : why)
    }
  }

  private static func refusal(_ text: String, _ why: String) -> StatusError {
    .invalid(kind: "", group: "", name: "", errors: [.invalid("patch", .string(text), why)])
  }
}
