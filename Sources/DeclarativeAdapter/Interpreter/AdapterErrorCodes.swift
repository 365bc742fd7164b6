internal import AdapterKit

/// The codes of ``AdapterError`` by the names that error tables use.
enum AdapterErrorCodes {
  private static let all: [AdapterError.Code] = [
    .invalid, .unauthenticated, .forbidden, .notFound, .alreadyExists, .conflict, .rateLimited, .unavailable, .timeout, .unsupported,
    .malformedAnswer,
  ]
  static let names = all.map(\.description)

  static func named(_ name: String) -> AdapterError.Code? { all.first { $0.description == name } }

  /// What a status means where no table says otherwise.
  static func standard(for status: Int, submitting: Bool) -> AdapterError.Code {
    switch status {
    case 400, 413, 415, 422: .invalid
    case 401: .unauthenticated
    case 403: .forbidden
    case 404, 410: .notFound
    case 405, 501: .unsupported
    case 408, 504: .timeout
    case 409, 412: submitting ? .alreadyExists : .conflict
    case 429: .rateLimited
    case 500...599: .unavailable
    default: .malformedAnswer
    }
  }
}
