import AdapterKit
import JSON

extension Check {
  static let health = [
    Check("health says reachable and authenticated") { bench in
      let health = try await bench.adapter.health()
      try bench.require(health.reachable, "not reachable: \(health.message ?? "no message")")
      try bench.require(health.authenticated != false, "not authenticated: \(health.message ?? "no message")")
    }
  ]

  static let submission = [
    Check("submit returns key and core") { bench in
      let submission = bench.submission(bench.fixture.quick)
      let observation = try await bench.submit(submission)
      try bench.require(!observation.key.id.isEmpty && observation.key.kind == .run, "the key \(observation.key) is empty or no run's")
      try bench.require(!observation.identity.isEmpty, "the identity is empty")
      let core = try bench.core(observation)
      try bench.require(!core.rawState.isEmpty, "the engine's own state is empty")
      if let template = submission.template {
        try bench.require(core.template == template, "template \(core.template ?? "nil"), not \(template)")
      }
    },
    Check("the envelope comes back verbatim") { bench in
      let submission = bench.submission(bench.fixture.quick)
      let key = try await bench.submit(submission).key
      let read = try await bench.adapter.get(key, scope: bench.scope)
      try bench.require(
        read.envelope == .present(submission.envelope), "get shows \(read.envelope), submitted was \(submission.envelope.text)")
      let rows = try await bench.sweep()
      let row = try bench.unwrap(rows.first { $0.key == key }, "the list does not have \(key)")
      try bench.require(row.envelope == .unseen || row.envelope == read.envelope, "the list shows another envelope than get")
    },
    Check(
      "a second submission with the same key is refused",
      skip: { bench in
        switch bench.adapter.traits.submissionKeys {
        case .enforced, .enforcedForever: nil
        default: "the engine does not enforce submission keys"
        }
      }
    ) { bench in
      let submission = bench.submission(bench.fixture.slow)
      let first = try await bench.submit(submission)
      var second = submission
      second.envelope = ["uid": "another"]
      let error = try await bench.failure { try await bench.submit(second) }
      try bench.require(error?.code == .alreadyExists, "it ended with \(error.map { "\($0.code)" } ?? "success"), not alreadyExists")
      try bench.require(error?.inDoubt == false, "the refusal is said to be in doubt")
      let still = try await bench.adapter.get(first.key, scope: bench.scope)
      try bench.require(still.envelope == .present(submission.envelope), "the refused submission changed the envelope")
    },
    Check("an unknown template is refused, without doubt", skip: { $0.fixture.unknownTemplate == nil ? "the fixture names none" : nil }) {
      bench in
      let submission = bench.submission(.init(template: bench.fixture.unknownTemplate ?? ""))
      let error = try await bench.failure { try await bench.submit(submission) }
      try bench.require(error?.code == .invalid || error?.code == .notFound, "it ended with \(error.map { "\($0.code)" } ?? "success")")
      try bench.require(error?.inDoubt == false, "the refusal is said to be in doubt")
    },
    Check("find finds by submission key", skip: { $0.adapter.traits.submissionKeys == .none ? "the engine keeps no submission keys" : nil })
    { bench in
      let submission = bench.submission(bench.fixture.quick)
      let made = try await bench.submit(submission)
      let found = try await bench.adapter.find(submissionKey: submission.key, template: submission.template, kind: .run, scope: bench.scope)
      try bench.require(found?.key == made.key, "found \(found?.key.description ?? "nothing"), not \(made.key)")
      try bench.require(found?.identity == made.identity, "the found run has another identity")
      try bench.require(found?.envelope == .present(submission.envelope), "the found run's envelope is not the submitted one")
      let none = try await bench.adapter.find(
        submissionKey: submission.key + "x", template: submission.template, kind: .run, scope: bench.scope)
      try bench.require(none == nil, "a key that was never submitted is found")
    },
  ]
}
