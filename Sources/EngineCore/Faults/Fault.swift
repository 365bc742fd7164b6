/// A way to misbehave, for tests of clients.
package struct Fault: Hashable, Sendable {
  var kind: Kind
  /// How often it still strikes; nil for always.
  var remaining: Int?
  /// Only requests with this method; nil for all.
  var method: String?
  /// Only requests whose path (without the query) is this, or begins with it where it ends in `*`; nil for all.
  var path: String?

  enum Kind: Hashable, Sendable {
    /// Handles the request after that many milliseconds.
    case slow(Int64)
    /// Answers with this status and handles nothing; with `Retry-After` seconds where given.
    case status(Int, retryAfter: Int?)
    /// Closes the connection before the request was handled.
    case closeBefore
    /// Handles the request and closes the connection without an answer.
    case closeAfter
    /// Sends half of an answer under its full Content-Length and closes.
    case partialPage
    /// Sends half of an answer as if that were all of it: broken JSON.
    case partialJSON
    /// Adds seconds to all reported times.
    case clockSkew(Int64)
    /// The engine loses a job: no tombstone, no trace.
    case forget(String)
  }

  init(kind: Kind) { self.kind = kind }

  /// Reads `name`, `name=value` or `name=value;count=N;method=M;path=P;retryAfter=S`. - Throws: 422.
  package init(_ text: some StringProtocol) throws(EngineError) {
    let parts = text.split(separator: ";").map { $0.trimmed }
    guard let head = parts.first else { throw .invalid("fault", "is empty") }
    var options: [String: String] = [:]
    for part in parts.dropFirst() {
      let sides = part.split(separator: "=", maxSplits: 1)
      guard sides.count == 2 else { throw .invalid("fault", "\"\(part)\" is not name=value") }
      options[String(sides[0])] = String(sides[1])
    }
    func number(_ text: String?, _ name: String) throws(EngineError) -> Int64? {
      guard let text else { return nil }
      guard let number = Int64(text) else { throw .invalid("fault", "\(name) must be a whole number, not \"\(text)\"") }
      return number
    }
    let sides = head.split(separator: "=", maxSplits: 1)
    let name = String(sides[0])
    let value = sides.count == 2 ? String(sides[1]) : nil
    let retryAfter = try number(options["retryAfter"], "retryAfter").map(Int.init)
    switch name {
    case "slow":
      guard let milliseconds = try number(value, name), 0...600_000 ~= milliseconds else {
        throw .invalid("fault", "slow wants milliseconds")
      }
      kind = .slow(milliseconds)
    case "status":
      guard let status = try number(value, name), 400...599 ~= status else {
        throw .invalid("fault", "status wants a number from 400 to 599")
      }
      kind = .status(Int(status), retryAfter: retryAfter ?? (status == 429 ? 1 : nil))
    case "429", "rate-limit": kind = .status(429, retryAfter: try number(value, name).map(Int.init) ?? retryAfter ?? 1)
    case "500", "502", "503", "504": kind = .status(Int(name)!, retryAfter: retryAfter)
    case "close-before": kind = .closeBefore
    case "close-after": kind = .closeAfter
    case "partial-page": kind = value == "json" ? .partialJSON : .partialPage
    case "clock-skew":
      guard let seconds = try number(value, name), abs(seconds) < 1_000_000_000 else { throw .invalid("fault", "clock-skew wants seconds") }
      kind = .clockSkew(seconds)
    case "forget":
      guard let value else { throw .invalid("fault", "forget wants a job's id") }
      kind = .forget(value)
    default:
      throw .invalid(
        "fault",
        "\"\(name)\" is none of slow, status, 429, 500, 502, 503, 504, close-before, close-after, partial-page, clock-skew, forget")
    }
    remaining = try number(options["count"], "count").map(Int.init)
    method = options["method"]
    path = options["path"]
    for option in options.keys where !["count", "method", "path", "retryAfter"].contains(option) {
      throw .invalid("fault", "\"\(option)\" is none of count, method, path, retryAfter")
    }
  }

  func matches(method: String, path: String) -> Bool {
    if let wanted = self.method, wanted != method { return false }
    guard let wanted = self.path else { return true }
    return wanted.hasSuffix("*") ? path.hasPrefix(wanted.dropLast()) : path == wanted
  }

  /// As ``init(_:)`` reads it.
  var text: String {
    var text: String
    switch kind {
    case .slow(let milliseconds): text = "slow=\(milliseconds)"
    case .status(let status, let retryAfter): text = "status=\(status)" + (retryAfter.map { ";retryAfter=\($0)" } ?? "")
    case .closeBefore: text = "close-before"
    case .closeAfter: text = "close-after"
    case .partialPage: text = "partial-page"
    case .partialJSON: text = "partial-page=json"
    case .clockSkew(let seconds): text = "clock-skew=\(seconds)"
    case .forget(let job): text = "forget=\(job)"
    }
    if let remaining { text += ";count=\(remaining)" }
    if let method { text += ";method=\(method)" }
    if let path { text += ";path=\(path)" }
    return text
  }
}

extension StringProtocol {
  /// Without spaces and tabs at both ends.
  var trimmed: String {
    var rest = self[...]
    while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
    return String(rest)
  }
}
