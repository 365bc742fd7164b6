import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct ListTests {
  private static func ids(_ page: EngineState.Page<Job>) -> [String] {
    page.items.map { item in
      switch item {
      case .object(let job): job.id
      case .deleted(let id, _, _): "-\(id)"
      }
    }
  }

  @Test func pagesAreCutByKey() throws {
    var history = History()
    var jobs: [String] = []
    for _ in 0..<7 { jobs.append(try history.job().id) }
    for job in jobs.prefix(4) { history.end(job) }
    let first = try history.state.listJobs(query("limit=3"))
    #expect(Self.ids(first) == Array(jobs[..<3]))
    // What happens between two pages shifts nothing.
    _ = try history.turn { state, now in try state.delete(jobs[0], now: now) }
    _ = try history.turn { state, now in try state.delete(jobs[2], now: now) }
    let late = try history.job().id
    let second = try history.state.listJobs(query("limit=3&cursor=\(#require(first.nextCursor))"))
    #expect(Self.ids(second) == Array(jobs[3..<6]))
    let third = try history.state.listJobs(query("limit=3&cursor=\(#require(second.nextCursor))"))
    #expect(Self.ids(third) == [jobs[6], late] && third.nextCursor == nil)
  }

  @Test func anExactlyFullLastPageHasNoCursor() throws {
    var history = History()
    for _ in 0..<4 { _ = try history.job() }
    #expect(try history.state.listJobs(query("limit=4")).nextCursor == nil)
  }

  @Test func newestFirst() throws {
    var history = History()
    let jobs = try (0..<5).map { _ in try history.job().id }
    let first = try history.state.listJobs(query("limit=2&order=newest"))
    #expect(Self.ids(first) == [jobs[4], jobs[3]])
    let second = try history.state.listJobs(query("limit=9&order=newest&cursor=\(#require(first.nextCursor))"))
    #expect(Self.ids(second) == [jobs[2], jobs[1], jobs[0]])
    #expect(refusal { _ = try history.state.listJobs(query("cursor=\(first.nextCursor!)")) }?.code == "badCursor")
  }

  @Test func filters() throws {
    var history = History()
    let first = try history.job(steps: ["a"], #""labels":{"team":"x"}"#).id
    let second = try history.job(steps: ["a"], #""idempotencyKey":"k 1""#).id
    history.end(first)
    #expect(try Self.ids(history.state.listJobs(query("state=succeeded,failed"))) == [first])
    #expect(try Self.ids(history.state.listJobs(query("active=true"))) == [second])
    #expect(try Self.ids(history.state.listJobs(query("label=team%3Dx"))) == [first])
    #expect(try Self.ids(history.state.listJobs(query("idempotencyKey=k+1"))) == [second])
    #expect(try Self.ids(history.state.listJobs(query("createdSince=\(history[second].createdAt)"))) == [second])
  }

  @Test(arguments: [
    "limit=0", "limit=x", "state=done", "cursor=zzz", "changedSince=-1", "order=up", "foo=1", "label=x", "active=maybe", "createdSince=now",
  ])
  func malformedQueries(_ text: String) throws { #expect(refusal { _ = try query(text) }?.status == 422) }

  @Test func changedSinceIsExact() throws {
    var history = History()
    let jobs = try (0..<4).map { _ in try history.job().id }
    let start = history.state.seq
    #expect(try history.state.listJobs(query("changedSince=\(start)")).items.isEmpty)
    history.end(jobs[2])
    history.end(jobs[0])
    _ = try history.turn { state, now in try state.delete(jobs[2], now: now) }
    let page = try history.state.listJobs(query("changedSince=\(start)"))
    #expect(Self.ids(page) == [jobs[0], "-\(jobs[2])"])
    #expect(page.latestSeq == history.state.seq && page.deletionsComplete == true)
    #expect(try history.state.listJobs(query("changedSince=\(page.latestSeq)")).items.isEmpty)
  }

  @Test func aJobThatChangesBetweenPagesOfChangesIsNotMissed() throws {
    var history = History()
    let start = history.state.seq
    let jobs = try (0..<4).map { _ in try history.job().id }
    let first = try history.state.listJobs(query("changedSince=\(start)&limit=2"))
    history.end(jobs[3])
    history.end(jobs[0])
    let second = try history.state.listJobs(query("changedSince=\(start)&limit=2&cursor=\(#require(first.nextCursor))"))
    let third = try history.state.listJobs(query("changedSince=\(start)&limit=2&cursor=\(#require(second.nextCursor))"))
    #expect(Self.ids(first) + Self.ids(second) + Self.ids(third) == [jobs[0], jobs[1], jobs[2], jobs[3], jobs[0]])
    let later = try history.state.listJobs(query("changedSince=\(first.latestSeq)"))
    #expect(Set(Self.ids(later)) == [jobs[0], jobs[3]])
  }

  @Test func forgottenTombstonesAreOwnedUp() throws {
    var limits = EngineState.Limits()
    limits.tombstones = 2
    var history = History(limits: limits)
    let start = history.state.seq
    var middle: Int64 = 0
    for round in 0..<4 {
      let job = try history.job().id
      history.end(job)
      _ = try history.turn { state, now in try state.delete(job, now: now) }
      if round == 1 { middle = history.state.seq }
    }
    let old = try history.state.listJobs(query("changedSince=\(start)"))
    #expect(old.items.count == 2 && old.deletionsComplete == false && old.coveredFrom == middle)
    #expect(try history.state.listJobs(query("changedSince=\(middle)")).deletionsComplete == true)
    // By age as well.
    history.now = history.now + .seconds(25 * 3600)
    let job = try history.job().id
    history.end(job)
    _ = try history.turn { state, now in try state.delete(job, now: now) }
    #expect(try history.state.listJobs(query("changedSince=\(middle)")).items.count == 1)
  }

  @Test func numbersOfAnotherLifeAreRecognised() throws {
    var history = History()
    _ = try history.job()
    #expect(refusal { _ = try history.state.listJobs(query("changedSince=\(history.state.seq + 1)")) }?.status == 410)
    let earlier = history.state.seq
    var next = History()
    next.now = history.now + .seconds(1)
    next.state = EngineState(seed: 1, now: next.now)
    #expect(try next.state.listJobs(query("changedSince=\(earlier)")).deletionsComplete == false)
  }

  @Test func aForgottenJobLeavesNoTrace() throws {
    var history = History()
    let start = history.state.seq
    let job = try history.job()
    history.turn { state, _ in state.forget(job) }
    let page = try history.state.listJobs(query("changedSince=\(start)"))
    #expect(page.items.isEmpty && page.deletionsComplete == true)
    history.end(job.id)
    #expect(history.state.jobs.count == 0 && history.state.busy.isEmpty)
  }

  @Test func manyChangesKeepTheLogSmall() throws {
    var log = ChangeLog()
    for seq in 1...10_000 { log.record("\(seq % 10)", seq: Int64(seq)) }
    #expect(log.entries.count <= 2048)
    #expect(Array(log.after(9_995)).map(\.seq) == [9_996, 9_997, 9_998, 9_999, 10_000])
    #expect(Array(log.after(0)).count == 10)
  }
}
