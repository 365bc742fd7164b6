/// A refusal: what the client is told, and with which status.
package struct EngineError: Error, Hashable, Sendable {
  /// HTTP status.
  package var status: Int
  /// A camelCase word that programs can compare.
  package var code: String
  package var message: String
  /// The path of the offending field in the request's body, or the name of the query parameter.
  package var field: String?

  package init(status: Int, code: String, message: String, field: String? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.field = field
  }

  static func invalid(_ field: String, _ message: String) -> EngineError {
    EngineError(status: 422, code: "invalid", message: "\(field): \(message)", field: field)
  }

  static func notFound(_ kind: String, _ id: String) -> EngineError {
    EngineError(status: 404, code: "notFound", message: "there is no \(kind) \(id)")
  }

  static func conflict(_ code: String, _ message: String, field: String? = nil) -> EngineError {
    EngineError(status: 409, code: code, message: message, field: field)
  }
}
