import AdapterKit
import JSON
import OrderedCollections

extension Check {
  static let optional = [
    Check("templates are listed", skip: { $0.abilities.templates == nil ? "lists no templates" : nil }) { bench in
      let templating = try bench.unwrap(bench.abilities.templates, "none")
      var templates: [EngineTemplate] = []
      var cursor: JSONValue?
      repeat {
        let page = try await templating.templates(bench.scope, cursor: cursor)
        templates += page.templates
        try bench.require(page.next == nil || page.next != cursor, "a page of templates names itself as the next one")
        cursor = page.next
      } while cursor != nil
      try bench.require(Set(templates.map(\.name)).count == templates.count, "a template is listed twice")
      guard let name = bench.fixture.quick.template else { return }
      let template = try bench.unwrap(templates.first { $0.name == name }, "\(name) is not listed")
      guard let schema = template.parametersSchema else { return }
      try bench.require(schema["type"] == "object", "the schema of the parameters is not that of an object")
      for parameter in bench.fixture.quick.parameters.keys {
        try bench.require(schema["properties"]?[parameter] != nil, "the schema does not know the parameter \(parameter)")
      }
    },
    Check("the log of a run has its output, and ends", skip: { $0.abilities.logs == nil ? "reads no logs" : nil }) { bench in
      let logs = try bench.unwrap(bench.abilities.logs, "none")
      let key = try await bench.submit(bench.submission(bench.fixture.quick)).key
      _ = try await bench.reach(.succeeded, key)
      for follow in [false, true] {
        let stream = try await logs.log(key, LogOptions(follow: follow), scope: bench.scope)
        var bytes: [UInt8] = []
        while let piece = try await stream.next() { bytes += piece }
        guard let expected = bench.fixture.quickOutput else { continue }
        let text = String(decoding: bytes, as: UTF8.self)
        try bench.require(text.contains(expected), "the log has no \"\(expected)\" in it, but \(bytes.count) bytes: \(text.suffix(300))")
      }
    },
    Check(
      "inline steps run in order and are shown",
      skip: { !$0.adapter.traits.runsInlineSteps ? "runs no inline steps" : $0.fixture.inline == nil ? "the fixture has none" : nil }
    ) { bench in
      let work = try bench.unwrap(bench.fixture.inline, "none")
      let made = try await bench.submit(bench.submission(work))
      let done = try await bench.reach(.succeeded, made.key)
      guard case .present(let steps) = done.steps else { throw CheckFailure("get does not show the steps") }
      try bench.require(steps.map(\.name) == work.steps.map(\.name), "the steps shown are \(steps.map(\.name))")
      try bench.require(steps.allSatisfy { $0.phase == .succeeded }, "a step of a run that succeeded is \(steps.map(\.phase.rawValue))")
      for (earlier, later) in zip(steps, steps.dropFirst()) {
        guard let ended = earlier.finishedAt, let began = later.startedAt else { continue }
        try bench.require(ended <= began, "\(later.name) began before \(earlier.name) had ended")
      }
    },
    Check("a schedule is kept, shown, suspended and deleted", skip: { $0.adapter.traits.keepsSchedules ? nil : "keeps no schedules" }) {
      bench in
      let submission = bench.submission(bench.fixture.quick, schedule: bench.fixture.schedule)
      let made = try await bench.submit(submission)
      try bench.require(made.key.kind == .schedule, "the key is that of a run")
      let read = try await bench.adapter.get(made.key, scope: bench.scope)
      let core = try bench.core(read)
      try bench.require(
        core.phase == .running && core.reason == "Scheduled", "it is \(core.phase.rawValue), reason \(core.reason ?? "nil")")
      try bench.require(core.schedule == bench.fixture.schedule, "the cron expression is \(core.schedule ?? "nil")")
      try bench.require(read.envelope == .present(submission.envelope), "the envelope does not come back verbatim")
      try bench.require(try await bench.sweep().contains { $0.key == made.key }, "the list does not have it")
      if let suspending = bench.abilities.suspending {
        _ = try await suspending.setSuspended(true, made.key, scope: bench.scope)
        try bench.require(try bench.core(try await bench.adapter.get(made.key, scope: bench.scope)).suspended, "it is not suspended")
      }
      if let deleting = bench.abilities.deleting {
        try await deleting.delete(made.key, scope: bench.scope)
        let error = try await bench.failure { try await bench.adapter.get(made.key, scope: bench.scope) }
        try bench.require(error?.code == .notFound, "get after delete ended with \(error.map { "\($0.code)" } ?? "success")")
      }
    },
    Check("a schedule is refused, saying why", skip: { $0.adapter.traits.keepsSchedules ? "keeps schedules" : nil }) { bench in
      let error = try await bench.failure {
        try await bench.submit(bench.submission(bench.fixture.quick, schedule: bench.fixture.schedule))
      }
      try bench.require(error?.code == .unsupported, "it ended with \(error.map { "\($0.code)" } ?? "success")")
      try bench.require(error?.message.isEmpty == false && error?.inDoubt == false, "it is not said why, or in doubt")
    },
  ]
}
