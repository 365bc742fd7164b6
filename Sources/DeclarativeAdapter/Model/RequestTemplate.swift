/// One request as the file describes it.
struct RequestTemplate: Sendable {
  enum Body: Sendable {
    case json(ValueTemplate)
    case form([(name: String, value: ValueTemplate)])
    case text(ValueTemplate)
  }

  enum Answer: String, Sendable, CaseIterable {
    case json
    case text
    case none
  }

  enum Path: Sendable {
    /// Below the backend's URL; the value of each expression becomes part of one segment, percent-encoded.
    case segments([ValueTemplate.Piece])
    /// A whole URL, which must begin with the backend's URL.
    case url(ValueTemplate)
  }

  /// The variable that its answer is kept in, beside `response`; nil when nobody needs it by name.
  var name: String?
  /// Not sent when false.
  var condition: ValueTemplate?
  var method: String
  var path: Path
  var query: [(name: String, value: ValueTemplate)]
  var headers: [(name: String, value: ValueTemplate)]
  var body: Body?
  var answer: Answer
  /// Statuses that are no error; nil for 200 to 299.
  var ok: Set<Int>?
  var errors: [ErrorRule]
  /// Changes nothing in the engine: GET and HEAD, and what the file says of others.
  var reads: Bool
  /// Carries the credentials.
  var authenticated: Bool
  var timeout: Duration
  /// Its failure does not fail the operation: cleaning up, mostly.
  var mayFail: Bool
  /// The elements of one page.
  var rows: ValueTemplate?
  /// Which of the rows count.
  var only: ValueTemplate?
  var paging: Paging?
  var place: Place

  func accepts(_ status: Int) -> Bool { ok?.contains(status) ?? (200..<300).contains(status) }
}

/// Several requests, one after the other.
struct RequestChain: Sendable {
  var requests: [RequestTemplate]
  /// What is refused before anything is sent.
  var refusals: [ErrorRule]
  var place: Place

  var writes: Bool { requests.contains { !$0.reads } }
}

/// How the next page is asked for.
struct Paging: Sendable {
  enum Style: String, Sendable, CaseIterable {
    /// `page.offset` grows by the number of rows.
    case offset
    /// `page.number` counts from 1.
    case number
    /// `page.token` is what `next` gave.
    case token
    /// The answer's Link header names it (RFC 8288, rel="next").
    case link
  }

  var style: Style
  var size: Int
  /// Rows in all; without it the last page is the one with fewer rows than the size.
  var total: ValueTemplate?
  /// For `token`: the next page's token, null at the end. For the others: whether there is a next page.
  var next: ValueTemplate?
  /// All pages are read at once. Requests that are not the last of their operation are read so anyway.
  var all: Bool
}

/// One line of an error table.
struct ErrorRule: Sendable {
  var statuses: Set<Int>
  var condition: ValueTemplate?
  var code: String
  var message: ValueTemplate?
  var field: ValueTemplate?
  /// Seconds to wait.
  var retryAfter: ValueTemplate?
}
