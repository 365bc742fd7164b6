internal import JSON

/// A request that passed the access check, its body complete.
struct EngineRequest {
  static let maximumBody = 4 << 20

  var method: String
  var target: RequestTarget
  var contentType: String?
  var body: [UInt8]
  /// Added to reported times, in microseconds: the fault "clock-skew".
  var clockSkew: Int64 = 0

  /// The body as JSON. - Throws: 400 or 415.
  func json() throws(EngineError) -> JSONDocument {
    let media = contentType.map { $0.split(separator: ";").first.map { $0.trimmed.lowercased() } ?? "" }
    guard let media, ["application/json", "application/merge-patch+json"].contains(media) else {
      throw EngineError(
        status: 415, code: "unsupportedMediaType", message: "Content-Type must be application/json, not \(contentType ?? "absent")")
    }
    do throws(JSONError) {
      return try JSONDocument(body, limits: JSONLimits(maximumDepth: 64, maximumBytes: Self.maximumBody))
    } catch {
      throw EngineError(status: 400, code: "badJSON", message: "the body is no JSON: \(error)")
    }
  }

  /// The body as JSON, an empty object where there is none.
  func optionalJSON() throws(EngineError) -> JSONDocument {
    if body.isEmpty {
      do throws(JSONError) { return try JSONDocument("{}") } catch { throw EngineError(status: 500, code: "internal", message: "\(error)") }
    }
    return try json()
  }
}
