internal import AdapterKit
internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Translation

/// GET …/log: plain text, as it comes (kubernetes-wire K2).
struct LogHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let stream = try await request.services.gateway.log(
      namespace: request.namespace, name: request.info.name, options: try options(request), context: request.context)
    return HTTPResponse(
      status: 200, headers: ["Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"],
      body: .stream(LogBody(stream)))
  }

  private func options(_ request: APIRequest) throws(StatusError) -> LogOptions {
    let query = request.query
    var errors: [FieldError] = []
    var options = LogOptions(follow: query.bool("follow"), step: query["step"].flatMap { $0.isEmpty ? nil : $0 })
    if let lines = try query.int("tailLines") {
      options.tailLines = Int(min(lines, Int64(Int32.max)))
      if lines < 0 { errors.append(.invalid("tailLines", .int(lines), "must be greater than or equal to 0")) }
    }
    if let seconds = try query.int("sinceSeconds") {
      // Clamped, so that no number overflows the clock.
      options.since = request.services.clock.now - .seconds(min(max(0, seconds), Int64(Int32.max)))
      if seconds < 1 { errors.append(.invalid("sinceSeconds", .int(seconds), "must be greater than 0")) }
    }
    if let text = query["sinceTime"], !text.isEmpty {
      if options.since != nil { errors.append(.forbidden("sinceTime", "at most one of `sinceTime` or `sinceSeconds` may be specified")) }
      options.since = Timestamp(text)
      if options.since == nil { errors.append(.invalid("sinceTime", .string(text), "must be a time in RFC 3339")) }
    }
    guard errors.isEmpty else { throw .invalid(kind: "WorkflowLogOptions", group: request.info.group, name: "", errors: errors) }
    return options
  }
}
