import AdapterKit

extension Check {
  static let lifeCycle = [
    Check("a run that works ends as Succeeded, and stays the same run") { bench in
      let made = try await bench.submit(bench.submission(bench.fixture.quick))
      let done = try await bench.reach(.succeeded, made.key)
      let core = try bench.core(done)
      try bench.require(done.identity == made.identity, "the identity changed")
      try bench.require(core.createdAt == nil || core.createdAt == (try bench.core(made)).createdAt, "the time of creation changed")
      let finished = try bench.unwrap(core.finishedAt, "a finished run has no time of completion")
      if let started = core.startedAt { try bench.require(started <= finished, "it ended before it began") }
      if let progress = core.progress {
        try bench.require(progress.done == progress.total, "progress \(progress.done)/\(progress.total) at the end")
      }
      if let before = made.order, let after = done.order { try bench.require(before < after, "the order did not grow") }
    },
    Check("a run that fails ends as Failed", skip: { $0.fixture.failing == nil ? "the fixture has none" : nil }) { bench in
      let work = try bench.unwrap(bench.fixture.failing, "none")
      let made = try await bench.submit(bench.submission(work))
      let core = try bench.core(try await bench.reach(.failed, made.key))
      try bench.require(core.reason != "Cancelled", "a failure is shown as cancelled")
      try bench.require(core.finishedAt != nil, "a finished run has no time of completion")
    },
  ]

  static let writing = [
    Check(
      "a run older than its timeout ends as Failed with reason TimedOut",
      skip: { $0.adapter.traits.enforcesTimeout ? nil : "enforces no timeouts" }
    ) { bench in
      var submission = bench.submission(bench.fixture.slow)
      submission.timeout = .seconds(2)
      let made = try await bench.submit(submission)
      var last: RunCore?
      try await bench.eventually("the end of a run with a timeout of 2 s") {
        await bench.fixture.drive(made.key, .running)
        last = try bench.core(try await bench.adapter.get(made.key, scope: bench.scope))
        return last?.phase.isTerminal ?? false
      }
      try bench.require(
        last?.phase == .failed && last?.reason == "TimedOut", "it is \(last?.phase.rawValue ?? ""), reason \(last?.reason ?? "nil")")
    },
    Check("a cancelled run ends as Failed with reason Cancelled", skip: { $0.abilities.cancelling == nil ? "cannot cancel" : nil }) {
      bench in
      let cancelling = try bench.unwrap(bench.abilities.cancelling, "none")
      let submission = bench.submission(bench.fixture.slow)
      let made = try await bench.submit(submission)
      _ = try await bench.reach(.running, made.key)
      _ = try await cancelling.cancel(made.key, uid: submission.uid, reason: "conformance", scope: bench.scope)
      let done = try await bench.reach(.failed, made.key)
      let core = try bench.core(done)
      try bench.require(core.reason == "Cancelled", "the reason is \(core.reason ?? "nil")")
      try bench.require(done.identity == made.identity, "the identity changed")
      try bench.require(done.envelope == .present(submission.envelope), "the envelope changed")
    },
    Check("cancelling a finished run is a conflict", skip: { $0.abilities.cancelling == nil ? "cannot cancel" : nil }) { bench in
      let cancelling = try bench.unwrap(bench.abilities.cancelling, "none")
      let submission = bench.submission(bench.fixture.quick)
      let made = try await bench.submit(submission)
      _ = try await bench.reach(.succeeded, made.key)
      let error = try await bench.failure { try await cancelling.cancel(made.key, uid: submission.uid, reason: "late", scope: bench.scope) }
      try bench.require(error?.code == .conflict, "it ended with \(error.map { "\($0.code)" } ?? "success")")
      try bench.require(
        try bench.core(try await bench.adapter.get(made.key, scope: bench.scope)).phase == .succeeded,
        "a late cancel changed a finished run")
    },
    Check("an active run cannot be deleted", skip: { $0.abilities.deleting == nil ? "cannot delete" : nil }) { bench in
      let deleting = try bench.unwrap(bench.abilities.deleting, "none")
      let made = try await bench.submit(bench.submission(bench.fixture.slow))
      _ = try await bench.reach(.running, made.key)
      let error = try await bench.failure { try await deleting.delete(made.key, scope: bench.scope) }
      try bench.require(error?.code == .conflict, "it ended with \(error.map { "\($0.code)" } ?? "success")")
    },
    Check("a deleted run is gone", skip: { $0.abilities.deleting == nil ? "cannot delete" : nil }) { bench in
      let deleting = try bench.unwrap(bench.abilities.deleting, "none")
      let submission = bench.submission(bench.fixture.quick)
      let made = try await bench.submit(submission)
      _ = try await bench.reach(.succeeded, made.key)
      try await deleting.delete(made.key, scope: bench.scope)
      let error = try await bench.failure { try await bench.adapter.get(made.key, scope: bench.scope) }
      try bench.require(error?.code == .notFound, "get after delete ended with \(error.map { "\($0.code)" } ?? "success")")
      try bench.require(try await bench.sweep().allSatisfy { $0.key != made.key }, "the list still has it")
      let again = try await bench.failure { try await deleting.delete(made.key, scope: bench.scope) }
      try bench.require(again?.code == .notFound, "a second delete ended with \(again.map { "\($0.code)" } ?? "success")")
      let found = try await bench.adapter.find(submissionKey: submission.key, template: submission.template, kind: .run, scope: bench.scope)
      try bench.require(found == nil, "find still finds it")
    },
    Check("a retried run goes on with a greater attempt", skip: { $0.abilities.retrying == nil ? "cannot retry" : nil }) { bench in
      let retrying = try bench.unwrap(bench.abilities.retrying, "none")
      // Some engines repeat only what has failed.
      let submission = bench.submission(bench.fixture.failing ?? bench.fixture.quick)
      let goal: RunPhase = bench.fixture.failing == nil ? .succeeded : .failed
      let made = try await bench.submit(submission)
      let before = try await bench.reach(goal, made.key)
      let answer = try await retrying.retry(made.key, scope: bench.scope)
      if let answer, answer.key != made.key { return }
      let after = try await bench.adapter.get(made.key, scope: bench.scope)
      try bench.require(after.identity == made.identity, "the identity changed")
      try bench.require(after.envelope == .present(submission.envelope), "the envelope changed")
      switch (before.attempt, after.attempt) {
      case (.number(let a), .number(let b)): try bench.require(b > a, "attempt \(b) after attempt \(a)")
      case (.since(let a), .since(let b)): try bench.require(b > a, "attempt since \(b) after attempt since \(a)")
      case (.unknown, .unknown): break
      default: throw CheckFailure("the kind of attempt changed from \(before.attempt) to \(after.attempt)")
      }
      _ = try await bench.reach(goal, made.key)
    },
    Check("a suspended run says so, and can be released", skip: { $0.abilities.suspending == nil ? "cannot suspend" : nil }) { bench in
      let suspending = try bench.unwrap(bench.abilities.suspending, "none")
      let made = try await bench.submit(bench.submission(bench.fixture.slow))
      _ = try await bench.reach(.running, made.key)
      _ = try await suspending.setSuspended(true, made.key, scope: bench.scope)
      try await bench.eventually("suspended") { try bench.core(try await bench.adapter.get(made.key, scope: bench.scope)).suspended }
      _ = try await suspending.setSuspended(false, made.key, scope: bench.scope)
      try await bench.eventually("released") { try !bench.core(try await bench.adapter.get(made.key, scope: bench.scope)).suspended }
    },
    Check("a state that is set is shown", skip: { $0.abilities.stateSetting == nil ? "cannot set states" : nil }) { bench in
      let setting = try bench.unwrap(bench.abilities.stateSetting, "none")
      let made = try await bench.submit(bench.submission(bench.fixture.slow))
      _ = try await bench.reach(.running, made.key)
      _ = try await setting.setState(.succeeded, made.key, scope: bench.scope)
      try await bench.eventually("phase Succeeded") {
        try bench.core(try await bench.adapter.get(made.key, scope: bench.scope)).phase == .succeeded
      }
    },
  ]
}
