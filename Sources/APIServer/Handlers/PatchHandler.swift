internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// PATCH of one object or of its status: JSON Patch, merge patch, or an apply, by media type (kubernetes-wire C18 to C23, S3).
struct PatchHandler: Handler {
  /// Empty or status.
  var subresource = ""

  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let body = try BodyDecoder(request: request).patch()
    let options = try WriteOptions(query: request.query, kind: "PatchOptions")
    let change: UpdateRequest.Change
    var operation = ManagedFields.Operation.update
    switch body {
    case .json(let operations, let strictErrors):
      try refuseForce(request)
      let patch = try Self.refused { () throws(JSONPatch.Failure) in try JSONPatch(json: operations) }
      change = replacing(request, options, strictErrors) { current throws(StatusError) in
        try Self.refused { () throws(JSONPatch.Failure) in try patch.apply(to: current) }
      }
    case .merge(let patch, let strictErrors):
      try refuseForce(request)
      guard patch.object != nil else { throw .badRequest("error decoding patch: a merge patch of an object is an object") }
      change = replacing(request, options, strictErrors) { current throws(StatusError) in current.merging(patch: patch) }
    case .apply(let applied):
      guard !options.fieldManager.isEmpty else {
        throw .invalidOptions("PatchOptions", [.required("fieldManager", "is required for apply patch")])
      }
      change = .apply(
        try AppliedObject(request: request, validation: options.fieldValidation).checked(applied), force: request.query.bool("force"))
      operation = .apply
    }
    let result = try await request.services.gateway.update(
      namespace: request.namespace, name: request.info.name,
      request: UpdateRequest(
        change, subresource: subresource, options: options,
        manager: request.manager(options, operation: operation), authorizeCreate: request.authorizeCreate),
      context: request.context)
    return .json(request.encoder(form).object(result.object), status: result.isNew ? 201 : 200)
  }

  /// Also where it is false.
  private func refuseForce(_ request: APIRequest) throws(StatusError) {
    guard request.query["force"] != nil else { return }
    throw .invalidOptions("PatchOptions", [.forbidden("force", "may not be specified for non-apply patch")])
  }

  /// The patched object is read again as the kind, so that types are right and unknown fields are told.
  private func replacing(
    _ request: APIRequest, _ options: WriteOptions, _ strictErrors: [String],
    _ patch: @escaping @Sendable (JSONValue) throws(StatusError) -> JSONValue
  ) -> UpdateRequest.Change {
    let decoder = PatchedObject(request: request, validation: options.fieldValidation, strictErrors: strictErrors)
    return .replace { current throws(StatusError) in try decoder.decoded(try patch(current)) }
  }

  private static func refused<Value>(_ body: () throws(JSONPatch.Failure) -> Value) throws(StatusError) -> Value {
    do throws(JSONPatch.Failure) { return try body() } catch { throw error.statusError }
  }
}
