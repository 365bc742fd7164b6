internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Translation

/// One request for one of our kinds, on its way to its handler.
struct APIRequest: Sendable {
  let http: HTTPRequest
  let info: RequestInfo
  let query: QueryParameters
  let kind: KindDescription
  let resource: Resource
  let context: RequestContext
  let services: Services

  /// The namespace of the path; empty for cluster-scoped kinds.
  var namespace: String { info.namespace ?? "" }

  /// What every handler works with.
  struct Services: Sendable {
    let gateway: Gateway
    let configuration: APIServerConfiguration
    /// For what a verb needs besides the permission that every request needs.
    let access: Access
    let clock: any TimeSource
    let events: WatchEventEncoder
    /// A number from 0 up to 1, for what shall not happen everywhere at once.
    let random: @Sendable () -> Double
  }

  /// - Throws: 403 for a user who may not create what this request names, whatever its own verb is.
  func authorizeCreate() async throws(StatusError) {
    var info = info
    info.verb = "create"
    try await services.access.authorize(context.user, info)
  }

  /// - Throws: 400 for a parameter that old clients may still send: what they would do with an answer that heeds it not, nobody knows.
  func refuseExport() throws(StatusError) {
    guard query.bool("export") else { return }
    throw .badRequest("the export parameter, deprecated since v1.14, is no longer supported")
  }

  /// - Throws: 400 and 422, see ``ListOptions``.
  func listOptions() throws(StatusError) -> ListOptions { try ListOptions(query: query, selectableFields: kind.selectableFields) }

  /// - Throws: 406, and 400 for a wrong `includeObject`.
  func form(for answer: AcceptHeader.Answer) throws(StatusError) -> ResponseForm {
    try negotiated(for: answer).form
  }

  /// What the answer is written in, by the wish that ``form(for:)`` chose; JSON where there is nothing to choose.
  var mediaType: MediaType {
    let answer: AcceptHeader.Answer =
      switch info.verb {
      case "list", "deletecollection": .list
      case "watch": .watch
      default: .object
      }
    return (try? negotiated(for: answer))?.mediaType ?? .json
  }

  private func negotiated(for answer: AcceptHeader.Answer) throws(StatusError) -> NegotiatedForm {
    try AcceptHeader(http.headers["Accept"]).form(for: answer, kind: kind.kind, query: query)
  }

  func encoder(_ form: ResponseForm) -> ObjectEncoder {
    ObjectEncoder(form: form, kind: kind, apiVersion: services.configuration.group.apiVersion, now: services.clock.now)
  }
}
