import JSON
import KubeWire
import OrderedCollections

extension StatusError {
  /// The refusal that an answer holds: its Status where the body is one, else what the code says.
  init(status code: Int, retryAfter: String?, body: [UInt8]) {
    let value = (try? JSONValue(parsing: body)) ?? .null
    var status = Status(code: code, reason: Self.reason(ofCode: code), message: "the server answered with status \(code)")
    if value["kind"]?.string == "Status" {
      status.message = value["message"]?.string ?? status.message
      status.reason = value["reason"]?.string ?? status.reason
      if let details = value["details"], details.object != nil {
        status.details = Status.Details(
          name: details["name"]?.string ?? "", group: details["group"]?.string ?? "", kind: details["kind"]?.string ?? "",
          uid: details["uid"]?.string ?? "",
          causes: (details["causes"]?.array ?? []).map {
            Status.Cause(reason: $0["reason"]?.string ?? "", message: $0["message"]?.string ?? "", field: $0["field"]?.string ?? "")
          },
          retryAfterSeconds: details["retryAfterSeconds"]?.int.map(Int.init))
      }
    } else if let text = String(validating: body.prefix(1024), as: UTF8.self), !text.isEmpty, value.isNull {
      // Such as the aggregator's "service unavailable".
      status.message += ": \(text.split(whereSeparator: \.isNewline).first ?? "")"
    }
    let seconds = retryAfter.flatMap { Int($0) } ?? status.details?.retryAfterSeconds
    self.init(status, retryAfter: seconds.flatMap { $0 > 0 ? min($0, 3600) : nil })
  }

  private static func reason(ofCode code: Int) -> String {
    switch code {
    case 400: "BadRequest"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "NotFound"
    case 405: "MethodNotAllowed"
    case 409: "Conflict"
    case 410: "Gone"
    case 422: "Invalid"
    case 429: "TooManyRequests"
    case 500: "InternalError"
    case 503: "ServiceUnavailable"
    case 504: "Timeout"
    default: "Unknown"
    }
  }
}
