import HTTPMessage

/// The answers that the server gives by itself, before any responder: Kubernetes Status objects, never an empty body.
enum StatusBody {
  static func response(_ code: Int, reason: String, message: String, details: String = "") -> HTTPResponse {
    let json =
      #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"\#(escaped(message))","reason":"\#(reason)",\#(details)"code":\#(code)}"#
    return HTTPResponse(
      status: code, headers: ["Content-Type": "application/json", "Cache-Control": "no-cache, private"],
      body: .bytes(Array((json + "\n").utf8)))
  }

  static func tooLarge(limit: Int) -> HTTPResponse {
    response(413, reason: "RequestEntityTooLarge", message: "Request entity too large: limit is \(limit)")
  }

  /// Nothing was done, so the client may send it again. client-go waits for Retry-After.
  static var tooManyUnfinished: HTTPResponse {
    var answer = response(
      429, reason: "TooManyRequests", message: "too many unfinished requests, please try again later",
      details: #""details":{"retryAfterSeconds":1},"#)
    answer.headers.lines.append((name: "Retry-After", value: "1"))
    return answer
  }

  static func badRequest(_ message: String) -> HTTPResponse { response(400, reason: "BadRequest", message: message) }

  static func timeout(_ message: String) -> HTTPResponse { response(408, reason: "Timeout", message: message) }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where scalar.value < 0x20: out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
