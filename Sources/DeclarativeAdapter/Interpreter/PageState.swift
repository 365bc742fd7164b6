internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

/// A position in a paged list; goes into cursors and comes back.
struct PageState: Sendable, Hashable {
  var offset: Int64 = 0
  var number: Int64 = 1
  var token: JSONValue = .null
  /// The next page's URL.
  var link: String?
  /// Names of the last rows of the page before, which this page begins with again: rows that are deleted meanwhile move those behind them to lower offsets.
  var tail: [String] = []
  /// How often the list went back because rows had moved.
  var rewinds: Int64 = 0

  /// Rows of a page that the next one has again, at most.
  static let longestTail = 10
  static let rewindLimit: Int64 = 4

  init() {}

  init(_ json: JSONValue?) {
    offset = json?["offset"]?.int ?? 0
    number = json?["number"]?.int ?? 1
    token = json?["token"] ?? .null
    link = json?["link"]?.string
    tail = (json?["tail"]?.array ?? []).compactMap(\.string)
    rewinds = json?["rewinds"]?.int ?? 0
  }

  var json: JSONValue {
    var object: JSONObject = ["offset": .int(offset), "number": .int(number)]
    if token != .null { object["token"] = token }
    if let link { object["link"] = .string(link) }
    if !tail.isEmpty { object["tail"] = .array(tail.map { .string($0) }) }
    if rewinds > 0 { object["rewinds"] = .int(rewinds) }
    return .object(object)
  }

  func variable(size: Int) -> CELValue {
    .object([
      "size": .int(Int64(size)), "offset": .int(offset), "number": .int(number), "token": CELValue(token),
      "first": .bool(offset == 0 && number == 1 && token == .null && link == nil),
    ])
  }

  /// What to read after a page.
  struct Following: Sendable {
    /// nil after the last page.
    var page: PageState?
    /// Rows may have been passed over before this page.
    var mayHaveSkipped = false
  }

  /// As ``next(_:answer:_:)``, but heeds that rows move while the pages are read: pages by offset overlap, and where the overlap is not found, the list goes
  /// back.
  ///
  /// - Parameter name: of a row, the same however the row changes; nil when it has none.
  func following(_ paging: Paging?, answer: Answer, _ variables: CELVariables, name: (CELValue) -> String?) throws(ExpressionFailure)
    -> Following
  {
    var result = Following(page: try next(paging, answer: answer, variables))
    switch paging?.style {
    case .offset?:
      if !tail.isEmpty, !answer.found.contains(where: { row in name(row).map { tail.contains($0) } ?? false }) {
        if rewinds < Self.rewindLimit { return Following(page: rewound(answer.count)) }
        result.mayHaveSkipped = true
      }
      guard var next = result.page else { break }
      let overlap = answer.count < 2 ? 0 : max(1, min(Self.longestTail, answer.count / 10))
      next.tail = answer.found.suffix(overlap).compactMap(name)
      if next.tail.isEmpty { result.mayHaveSkipped = true } else { next.offset -= Int64(overlap) }
      result.page = next
    case .number?: if number > 1 { result.mayHaveSkipped = true }
    case .token?, .link?, nil: break
    }
    return result
  }

  /// First by some pages, then to the beginning, before which nothing can have been passed over.
  private func rewound(_ count: Int) -> PageState {
    var state = self
    state.rewinds += 1
    state.offset = rewinds.isMultiple(of: 2) ? max(0, offset - Int64(2 * max(count, Self.longestTail))) : 0
    if state.offset == 0 { (state.number, state.tail) = (1, []) }
    return state
  }

  /// The rows of a page without those at its beginning that the page before had.
  func fresh(_ rows: [CELValue], name: (CELValue) -> String?) -> ArraySlice<CELValue> {
    tail.isEmpty ? rows[...] : rows.drop { row in name(row).map { tail.contains($0) } ?? false }
  }

  /// The state for the page after this one; nil after the last.
  func next(_ paging: Paging?, answer: Answer, _ variables: CELVariables) throws(ExpressionFailure) -> PageState? {
    guard let paging else { return nil }
    var next = self
    next.tail = []
    let count = answer.count
    next.offset += Int64(count)
    next.number += 1
    switch paging.style {
    case .offset, .number:
      if count == 0 { return nil }
      if let total = paging.total, let total = try total.int(variables) { return next.offset < total ? next : nil }
      if let more = paging.next { return try more.flag(variables) ? next : nil }
      return count >= paging.size ? next : nil
    case .token:
      guard let token = try paging.next?.json(variables), token != .string("") else { return nil }
      if token == self.token { throw paging.next!.failure("the engine gives the same page's token again") }
      next.token = token
      return next
    case .link:
      for header in answer.headers where header.name.lowercased() == "link" {
        if let url = Self.nextLink(header.value) {
          next.link = url
          return next
        }
      }
      return nil
    }
  }

  /// The target of rel="next" in a Link header (RFC 8288).
  static func nextLink(_ header: String) -> String? {
    for part in header.split(separator: "<").map(String.init) {
      guard let end = part.firstIndex(of: ">") else { continue }
      let parameters = part[part.index(after: end)...].lowercased()
      if parameters.contains("rel=\"next\"") || parameters.contains("rel=next") { return String(part[..<end]) }
    }
    return nil
  }
}
