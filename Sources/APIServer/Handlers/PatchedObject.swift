internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// Reads what a patch has made of an object (kubernetes-wire C3).
struct PatchedObject {
  let request: APIRequest
  let validation: FieldValidation

  /// - Throws: 422 for what is no object of the kind and, with Strict, for unknown fields; 400 for a kind or an apiVersion that is not the object's.
  func decoded(_ patched: JSONValue) throws(StatusError) -> JSONValue {
    let text = patched.text
    let group = request.services.configuration.group
    guard patched["kind"]?.string == request.kind.kind, patched["apiVersion"]?.string == group.apiVersion else {
      throw .badRequest("the apiVersion or the kind of an object cannot be changed by a patch")
    }
    guard let name = patched["metadata"]?["name"]?.string, !name.isEmpty else {
      throw .badRequest("the name of the object (\(request.info.name) based on URL) was undeterminable: name must be provided")
    }
    var decoder = SchemaDecoder(kind: request.kind.kind)
    let object: JSONValue
    do {
      object = try decoder.decode(try JSONDocument(text).root, as: request.kind.schema)
    } catch let error as SchemaDecoder.TypeMismatch {
      throw Self.refusal(text, error.message)
    } catch {
      throw Self.refusal(text, "\(error)")
    }
    switch validation {
    case .ignore: break
    case .warn: for error in decoder.strictErrors { request.context.warn(error) }
    case .strict:
      if !decoder.strictErrors.isEmpty {
        throw Self.refusal(text, "strict decoding error: \(decoder.strictErrors.joined(separator: ", "))")
      }
    }
    return object
  }

  private static func refusal(_ text: String, _ why: String) -> StatusError {
    .invalid(kind: "", group: "", name: "", errors: [.invalid("patch", .string(text), why)])
  }
}
