import AdapterKit
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import Synchronization
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
    let stub = StubTransport([
      .json(["items": [job("1"), job("2")]]), .json(["items": [job("2"), job("3")]]), .json(["items": [job("3")]]),
    ])
    let pages = try await all(try adapter(miniature(), stub))
    #expect(pages.map { $0.observations.map(\.key.id) } == [["1", "2"], ["3"], []])
    // Each page begins with the end of the one before.
    #expect(stub.lines == ["GET /jobs?offset=0&limit=2", "GET /jobs?offset=1&limit=2", "GET /jobs?offset=2&limit=2"])
    #expect(pages.allSatisfy { !$0.mayHaveSkipped })
  }

  /// An engine with so many jobs, of which some go after the first page was read.
  private func shrinking(_ count: Int, _ gone: Range<Int>, total: Bool = true) -> StubTransport {
    let jobs = Mutex(Array(0..<count))
    return StubTransport { (request: TransportRequest) async throws(TransportError) in
      let offset = Int(request.url.split(separator: "=").last!)!
      return jobs.withLock { jobs in
        let page = jobs.dropFirst(offset).prefix(100).map { job("\($0)") }
        let answer: JSONValue = ["items": .array(page), "n": .int(Int64(jobs.count))]
        jobs.removeAll { gone.contains($0) }
        return .json(answer)
      }
    }
  }

  @Test(arguments: [0..<1, 0..<9, 40..<60, 80..<130, 0..<200]) func noRowIsPassedOverWhereOthersGo(_ gone: Range<Int>) async throws {
    let stub = shrinking(350, gone)
    let adapter = try adapter(paged("{by: offset, size: 100, total: '${response.body.n}'}", "query: {o: '${page.offset}'}"), stub)
    let pages = try await all(adapter)
    let seen = Set(pages.flatMap { $0.observations.map(\.key.id) })
    #expect(seen.isSuperset(of: (0..<350).filter { !gone.contains($0) }.map(String.init)))
    #expect(pages.allSatisfy { !$0.mayHaveSkipped } && pages.count <= 9)
  }

  @Test func whereNothingHoldsThePagesTheySaySo() async throws {
    let stub = StubTransport([
      .json(["items": [job("1")], "more": true]), .json(["items": [job("2")], "more": true]), .json(["items": [job("3")], "more": false]),
    ])
    let pages = try await all(try adapter(paged("{by: number, next: '${response.body.more}'}"), stub))
    #expect(pages.map(\.mayHaveSkipped) == [false, true, true])
    // The engine orders its rows anew each time.
    let shuffled = Mutex(0)
    let restless = StubTransport { (request: TransportRequest) async throws(TransportError) in
      let round = shuffled.withLock { round in
        round += 1
        return round
      }
      return .json(["items": .array((0..<100).map { job("\(round)-\($0)") }), "n": 200])
    }
    let text = paged("{by: offset, size: 100, total: '${response.body.n}'}", "query: {o: '${page.offset}'}")
    let restlessPages = try await all(try adapter(text, restless))
    #expect(restlessPages.count < 15 && restlessPages.contains(where: \.mayHaveSkipped))
  }

  @Test func aListThatIsReadAtOnceIsReadAgainWhereItsTotalMoves() async throws {
    let text = miniature(
      """
      scope:
        resolve:
          keep: 30s
          name: all
          request: GET /folders
          query: {o: "${page.offset}"}
          rows: ${response.body.items}
          page: {by: offset, size: 2, total: "${response.body.n}", all: true}
          value: '${all.rows}'
        contains: '${(template == null ? parent : template) in members || true}'
      """)
    let stub = StubTransport([
      .json(["items": ["a", "b"], "n": 4]), .json(["items": ["d"], "n": 3]), .json(["items": ["b", "c"], "n": 3]),
      .json(["items": ["d"], "n": 3]), .json(["items": []]),
    ])
    _ = try await adapter(text, stub).list(AdapterScope(), since: nil, cursor: nil)
    #expect(
      stub.lines == [
        "GET /folders?o=0", "GET /folders?o=2", "GET /folders?o=0", "GET /folders?o=2", "GET /jobs?offset=0&limit=2",
      ])
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
