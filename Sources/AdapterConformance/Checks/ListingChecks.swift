import AdapterKit
import JSON

extension Check {
  private static let noChanges: @Sendable (Bench) -> String? = { $0.abilities.incremental == nil ? "lists no changes" : nil }

  static let listing = [
    Check("the list of changes shows new and changed runs", skip: noChanges) { bench in
      let listing = try bench.unwrap(bench.abilities.incremental, "none")
      let mark = try await drain(listing, since: nil, bench).mark
      let made = try await bench.submit(bench.submission(bench.fixture.quick))
      try await bench.eventually("the new run in the changes") {
        let row = try await drain(listing, since: mark, bench).observations.last { $0.key == made.key }
        if let row { try bench.require(row.identity == made.identity, "another identity in the changes") }
        return row != nil
      }
      await bench.fixture.drive(made.key, .succeeded)
      // Read on from mark to mark, as the gateway does. The end may have come with the first page already.
      var next = mark
      try await bench.eventually("the end of the run in the changes") {
        let page = try await drain(listing, since: next, bench)
        next = page.mark
        return try page.observations.contains { try $0.key == made.key && bench.core($0).phase == .succeeded }
      }
    },
    Check("the list of changes invents no deletions, and shows those that it promises", skip: noChanges) { bench in
      let listing = try bench.unwrap(bench.abilities.incremental, "none")
      let made = try await bench.submit(bench.submission(bench.fixture.quick))
      _ = try await bench.reach(.succeeded, made.key)
      let mark = try await drain(listing, since: nil, bench).mark
      try bench.require(
        try await !drain(listing, since: mark, bench).deleted.contains(made.key), "a run that is there is said to be deleted")
      guard let deleting = bench.abilities.deleting else { return }
      try await deleting.delete(made.key, scope: bench.scope)
      // An adapter may leave deletions to the full sweep; what it says must be true, and a deleted run must not come back as changed.
      let after = try await drain(listing, since: mark, bench)
      try bench.require(after.deleted.allSatisfy { $0 == made.key }, "runs are said to be deleted that are not: \(after.deleted)")
      let late = try await drain(listing, since: after.mark, bench)
      try bench.require(!late.observations.contains { $0.key == made.key }, "a deleted run comes back as changed")
    },
  ]

  /// All pages from a mark on.
  private static func drain(_ listing: any IncrementalListing, since mark: JSONValue?, _ bench: Bench) async throws -> ChangePage {
    var all = try await listing.changes(bench.scope, since: mark, now: bench.fixture.now())
    var pages = 1
    while all.more {
      let page = try await listing.changes(bench.scope, since: all.mark, now: bench.fixture.now())
      all.observations += page.observations
      all.deleted += page.deleted
      (all.mark, all.more, all.complete) = (page.mark, page.more, all.complete && page.complete)
      pages += 1
      try bench.require(pages < 10_000, "the changes do not end")
    }
    if mark != nil { try bench.require(all.complete, "a mark of a moment ago is too old") }
    return all
  }
}
