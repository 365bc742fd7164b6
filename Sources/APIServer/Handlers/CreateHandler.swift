internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Translation

/// POST of an object: decoded against the kind's schema, then one call of the gateway.
struct CreateHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let options = try WriteOptions(query: request.query, kind: "CreateOptions")
    var object = try BodyDecoder(request: request).object(options.fieldValidation)
    guard (object["metadata"]?["resourceVersion"]?.string ?? "").isEmpty else {
      throw .badRequest("resourceVersion should not be set on objects to be created")
    }
    // The status is the server's to write (kubernetes-wire C7).
    object["status"] = nil
    let result = try await request.services.gateway.create(
      namespace: request.namespace, object: object, options: options, manager: request.manager(options), context: request.context)
    return .json(request.encoder(form).object(result.object), status: 201)
  }
}
