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

  init() {}

  init(_ json: JSONValue?) {
    offset = json?["offset"]?.int ?? 0
    number = json?["number"]?.int ?? 1
    token = json?["token"] ?? .null
    link = json?["link"]?.string
  }

  var json: JSONValue {
    var object: JSONObject = ["offset": .int(offset), "number": .int(number)]
    if token != .null { object["token"] = token }
    if let link { object["link"] = .string(link) }
    return .object(object)
  }

  func variable(size: Int) -> CELValue {
    .object([
      "size": .int(Int64(size)), "offset": .int(offset), "number": .int(number), "token": CELValue(token),
      "first": .bool(offset == 0 && number == 1 && token == .null && link == nil),
    ])
  }

  /// The state for the page after one that had `count` rows; nil after the last.
  func next(_ paging: Paging?, answer: Answer, count: Int, _ variables: CELVariables) throws(ExpressionFailure) -> PageState? {
    guard let paging else { return nil }
    var next = self
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
