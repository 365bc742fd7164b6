import AdapterKit

extension Check {
  static let reading = [
    Check("get after submit shows the same run") { bench in
      let made = try await bench.submit(bench.submission(bench.fixture.quick))
      let read = try await bench.adapter.get(made.key, scope: bench.scope)
      try bench.require(read.key == made.key, "get of \(made.key) shows \(read.key)")
      try bench.require(read.identity == made.identity, "identity \(read.identity), after submit it was \(made.identity)")
      _ = try bench.core(read)
      try bench.require(read.envelope != .unseen, "get does not show the facet envelope")
    },
    Check("get of an unknown run is notFound") { bench in
      var key = try await bench.submit(bench.submission(bench.fixture.quick)).key
      key.id += "9"
      let error = try await bench.failure { try await bench.adapter.get(key, scope: bench.scope) }
      try bench.require(error?.code == .notFound, "it ended with \(error.map { "\($0.code)" } ?? "success")")
    },
    Check("the parent of a run is readable") { bench in
      let key = try await bench.submit(bench.submission(bench.fixture.quick)).key
      try bench.require(try await bench.adapter.parentIsReadable(key, scope: bench.scope), "the parent of a run that can be read cannot")
    },
    Check("the list has every run once") { bench in
      let first = try await bench.submit(bench.submission(bench.fixture.quick))
      let second = try await bench.submit(bench.submission(bench.fixture.quick))
      let rows = try await bench.sweep()
      for made in [first, second] {
        let found = rows.filter { $0.key == made.key }
        try bench.require(found.count == 1, "\(made.key) is in the list \(found.count) times")
        try bench.require(found[0].identity == made.identity, "\(made.key) has another identity in the list")
        _ = try bench.core(found[0])
      }
      try bench.require(Set(rows.map(\.identity)).count == rows.count, "two rows of the list have the same identity")
    },
    Check(
      "a run that was started in the engine is listed, and is known to be foreign",
      skip: { $0.fixture.startForeign == nil ? "the fixture cannot start foreign runs" : nil }
    ) { bench in
      let key = try await bench.startForeign(nil)
      let row = try bench.unwrap(try await bench.sweep().first { $0.key == key }, "the list does not have \(key)")
      let read = try await bench.adapter.get(key, scope: bench.scope)
      try bench.require(read.envelope == .absent, "get does not say that there is no envelope, but \(read.envelope)")
      try bench.require(row.envelope == .absent || row.envelope == .unseen, "the list shows an envelope: \(row.envelope)")
      try bench.require(row.identity == read.identity, "identity \(row.identity) in the list, \(read.identity) in get")
    },
    Check(
      "a copied envelope belongs to another run, or is marked as a copy",
      skip: { $0.fixture.startForeign == nil ? "the fixture cannot start foreign runs" : nil }
    ) { bench in
      let submission = bench.submission(bench.fixture.quick)
      let ours = try await bench.submit(submission)
      let copy = try await bench.startForeign(submission.envelope)
      let read = try await bench.adapter.get(copy, scope: bench.scope)
      try bench.require(read.key != ours.key && read.identity != ours.identity, "the copy is taken for the run itself")
      let still = try await bench.adapter.get(ours.key, scope: bench.scope)
      try bench.require(still.identity == ours.identity && !still.isRebuild, "our own run is taken for the copy")
      let found = try await bench.adapter.find(submissionKey: submission.key, template: submission.template, kind: .run, scope: bench.scope)
      try bench.require(found == nil || found?.key == ours.key, "find finds the copy")
    },
  ]
}
