import AdapterKit
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import Testing

@Suite struct ListTests {
  func all(_ adapter: DeclarativeAdapter) async throws -> [RunPage] {
    var pages: [RunPage] = []
    var cursor: JSONValue?
    repeat {
      let page = try await adapter.list(AdapterScope(), since: nil, cursor: cursor)
      pages.append(page)
      cursor = page.next
    } while cursor != nil && pages.count < 20
    return pages
  }

  func paged(_ page: String, _ query: String = "query: {o: '${page.offset}', n: '${page.number}', t: '${page.token}'}") -> String {
    miniature().replacingOccurrences(of: "page: {by: offset, size: 2}", with: "page: \(page)")
      .replacingOccurrences(of: #"query: {offset: "${page.offset}", limit: "${page.size}"}"#, with: query)
  }

  @Test func byOffset() async throws {
    let stub = StubTransport([.json(["items": [job("1"), job("2")]]), .json(["items": [job("3")]])])
    let pages = try await all(try adapter(miniature(), stub))
    #expect(pages.map { $0.observations.map(\.key.id) } == [["1", "2"], ["3"]])
    #expect(stub.lines == ["GET /jobs?offset=0&limit=2", "GET /jobs?offset=2&limit=2"])
  }

  @Test func byOffsetWithATotal() async throws {
    // The engine gives fewer rows than were asked for.
    let stub = StubTransport([.json(["items": [job("1")], "n": 2]), .json(["items": [job("2")], "n": 2])])
    #expect(try await all(try adapter(paged("{by: offset, size: 500, total: '${response.body.n}'}"), stub)).count == 2)
    #expect(stub.lines == ["GET /jobs?o=0&n=1", "GET /jobs?o=1&n=2"])
  }

  @Test func byNumberAndByToken() async throws {
    let numbered = StubTransport([.json(["items": [job("1")], "more": true]), .json(["items": [job("2")], "more": false])])
    #expect(try await all(try adapter(paged("{by: number, next: '${response.body.more}'}"), numbered)).count == 2)
    let tokens = StubTransport([.json(["items": [job("1")], "next": "x y"]), .json(["items": []])])
    #expect(
      try await all(try adapter(paged("{by: token, next: '${response.body.?next}'}", "query: {t: '${page.token}'}"), tokens)).count == 2)
    #expect(tokens.lines == ["GET /jobs", "GET /jobs?t=x%20y"])
    let circle = StubTransport([.json(["items": [job("1")], "next": "x"]), .json(["items": [job("1")], "next": "x"])])
    let text = paged("{by: token, next: '${response.body.?next}'}", "query: {t: '${page.token}'}")
    await #expect(throws: AdapterError.self) { try await all(try adapter(text, circle)) }
  }

  @Test func byLink() async throws {
    let stub = StubTransport([
      .json(["items": [job("1")]], [("Link", #"<http://e.test/jobs?page=9>; rel="last", <http://e.test/jobs?page=2>; rel="next""#)]),
      .json(["items": [job("2")]], [("Link", "</jobs?page=3>; rel=next")]), .json(["items": [job("3")]]),
    ])
    #expect(try await all(try adapter(paged("{by: link}"), stub)).flatMap { $0.observations.map(\.key.id) } == ["1", "2", "3"])
    #expect(stub.lines == ["GET /jobs?o=0&n=1", "GET /jobs?page=2", "GET /jobs?page=3"])
    let away = StubTransport([.json(["items": [job("1")]], [("Link", #"<http://evil.test/jobs?page=2>; rel="next""#)])])
    await #expect(throws: AdapterError.self) { try await all(try adapter(paged("{by: link}"), away)) }
    #expect(away.requests.count == 1)
  }

  @Test func oneBadRowDoesNotHideTheOthers() async throws {
    let stub = StubTransport([.json(["items": [job("1"), job("2", "purple")]]), .json(["items": []])])
    let page = try await adapter(miniature(), stub).list(AdapterScope(), since: nil, cursor: nil)
    #expect(page.observations.map(\.key.id) == ["1"])
    #expect(page.unreadable.count == 1)
    #expect(page.unreadable[0].hasPrefix("2: runs.map.state"))
    #expect(page.unreadable[0].contains("unknown state 'purple'; known are new, run, ok, bad, stopped"))
  }

  @Test func facets() async throws {
    let stub = StubTransport([.json(["items": [job("1", "stopped"), job("2", "ok", ["env": ["uid": "x"], "try": nil])]])])
    let page = try await adapter(miniature(), stub).list(AdapterScope(), since: nil, cursor: nil)
    #expect(page.observations.map(\.envelope) == [.absent, .present(["uid": "x"])])
    #expect(page.observations.map(\.overlay) == [.unseen, .unseen])
    #expect(page.observations.map(\.steps) == [.unseen, .unseen])
    #expect(page.observations.map(\.attempt) == [.number(1), .unknown])
    guard case .present(let core) = page.observations[0].core else { throw CancellationError() }
    #expect(core.phase == .failed && core.reason == "Cancelled" && core.rawState == "stopped")
  }
}
