import AdapterKit
import DeclarativeAdapter
import JSON
import OrderedCollections
import Testing

@Suite struct RequestTests {
  @Test func valuesInPathsAreEncoded() async throws {
    let stub = StubTransport([.json(job("a/b c"))])
    let observation = try await adapter(miniature(), stub).get(RunKey(id: "a/b c"), scope: AdapterScope())
    #expect(stub.lines == ["GET /jobs/a%2Fb%20c"])
    #expect(observation.key.id == "a/b c")
    #expect(observation.identity == #"["job","a/b c"]"#)
  }

  @Test(arguments: ["..", ".", ""])
  func aValueCannotWalkThePath(_ id: String) async throws {
    let stub = StubTransport([])
    let error = await #expect(throws: AdapterError.self) { try await adapter(miniature(), stub).get(RunKey(id: id), scope: AdapterScope()) }
    #expect(error?.code == .malformedAnswer)
    #expect(stub.requests.isEmpty)
  }

  @Test func anotherRunInTheAnswerIsAnError() async throws {
    let error = await #expect(throws: AdapterError.self) {
      try await adapter(miniature(), StubTransport([.json(job("b"))])).get(RunKey(id: "a"), scope: AdapterScope())
    }
    #expect(error?.code == .malformedAnswer)
  }

  @Test func submitWritesOnce() async throws {
    let stub = StubTransport([.json(job("1", "new", ["env": ["uid": "u1"]]), status: 201)])
    let observation = try await adapter(miniature(), stub).submit(submission)
    #expect(stub.requests.count == 1)
    #expect(stub.requests[0].json == ["name": "ns.name", "template": "build", "env": ["uid": "u1"]])
    #expect(stub.requests[0].header("content-type") == "application/json")
    #expect(observation.envelope == .present(["uid": "u1"]))
    #expect(observation.attempt == .number(1))
  }

  static let refusals: [(Int, String, AdapterError.Code, Bool)] = [
    (400, "submit", .invalid, false), (401, "submit", .unauthenticated, false), (403, "submit", .forbidden, false),
    (404, "submit", .notFound, false),
    (409, "submit", .alreadyExists, false), (409, "delete", .conflict, false), (422, "submit", .invalid, false),
    (429, "submit", .rateLimited, false),
    (500, "submit", .unavailable, true), (502, "submit", .unavailable, true), (503, "submit", .unavailable, false),
    (504, "submit", .timeout, true),
    (501, "submit", .unsupported, false), (500, "get", .unavailable, false), (504, "get", .timeout, false),
    (302, "get", .malformedAnswer, false),
  ]

  @Test func aBareUnavailableLeavesASubmissionInDoubt() async throws {
    let bare = TransportResponse(status: 503, headers: [], body: Array("upstream connect error".utf8))
    let submitting = try adapter(miniature(), StubTransport([bare]))
    #expect(await #expect(throws: AdapterError.self) { _ = try await submitting.submit(submission) }?.inDoubt == true)
    let deleting = try adapter(miniature(), StubTransport([bare]))
    let error = await #expect(throws: AdapterError.self) { try await deleting.delete(RunKey(id: "a"), scope: AdapterScope()) }
    #expect(error?.inDoubt == false, "what is done twice is done once")
  }

  @Test(arguments: refusals.indices)
  func statusesMeanWhatTheyShould(_ index: Int) async throws {
    let (status, operation, code, inDoubt) = Self.refusals[index]
    let stub = StubTransport([TransportResponse(status: status, headers: [("Retry-After", "7")], body: Array(#"{"error":"no\nway"}"#.utf8))]
    )
    let adapter = try adapter(miniature(), stub)
    let error = await #expect(throws: AdapterError.self) {
      switch operation {
      case "submit": _ = try await adapter.submit(submission)
      case "delete": try await adapter.delete(RunKey(id: "a"), scope: AdapterScope())
      default: _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
      }
    }
    #expect(error?.code == code)
    #expect(error?.inDoubt == inDoubt)
    #expect(error?.status == status)
    #expect(error?.retryAfter == .seconds(7))
    #expect(stub.requests.count == 1)
  }

  @Test func aLostAnswerLeavesAWriteInDoubtAndAReadNot() async throws {
    let lost = StubTransport { (_: TransportRequest) async throws(TransportError) in
      throw TransportError(.broken, "connection closed", mayHaveBeenSent: true)
    }
    let unsent = StubTransport { (_: TransportRequest) async throws(TransportError) in
      throw TransportError(.connect, "refused", mayHaveBeenSent: false)
    }
    func error(_ stub: StubTransport, _ body: (DeclarativeAdapter) async throws -> Void) async throws -> AdapterError? {
      let adapter = try adapter(miniature(), stub)
      return await #expect(throws: AdapterError.self) { try await body(adapter) }
    }
    let write = try await error(lost) { _ = try await $0.submit(submission) }
    #expect(write?.inDoubt == true)
    #expect(write?.code == .unavailable)
    #expect(lost.requests.count == 1)
    #expect(try await error(unsent) { _ = try await $0.submit(submission) }?.inDoubt == false)
    #expect(try await error(lost) { _ = try await $0.get(RunKey(id: "a"), scope: AdapterScope()) }?.inDoubt == false)
  }

  @Test(arguments: [#"{"id":1"#, #"{"no":"id"}"#, "null", #"{"id":"1","state":"purple","try":1}"#])
  func anAnswerThatIsNotUnderstoodLeavesAWriteInDoubt(_ body: String) async throws {
    let stub = StubTransport([TransportResponse(status: 201, body: Array(body.utf8))])
    let error = await #expect(throws: AdapterError.self) { try await adapter(miniature(), stub).submit(submission) }
    #expect(error?.code == .malformedAnswer)
    #expect(error?.inDoubt == true)
  }

  @Test func theFilesTableComesBeforeTheStandard() async throws {
    let text = miniature(
      """
      errors:
        message: ${response.body.why}
        rules:
        - {status: 409, when: '${response.body.kind == "params"}', code: invalid, field: parameters, message: "bad: ${response.body.why}"}
        - {when: "${response.body.kind == 'slow'}", code: rateLimited, retryAfter: "${response.body.seconds}"}
      """)
    func error(_ status: Int, _ body: JSONValue) async throws -> AdapterError? {
      let adapter = try adapter(text, StubTransport([.json(body, status: status)]))
      return await #expect(throws: AdapterError.self) { try await adapter.submit(submission) }
    }
    let first = try await error(409, ["kind": "params", "why": "seconds"])
    #expect(first?.code == .invalid)
    #expect(first?.field == "parameters")
    #expect(first?.message == "bad: seconds")
    #expect(try await error(409, ["kind": "other", "why": "taken"]) == AdapterError(.alreadyExists, "taken", status: 409))
    let slow = try await error(200, ["kind": "slow", "why": "wait", "seconds": 3])
    #expect(slow?.code == .rateLimited)
    #expect(slow?.retryAfter == .seconds(3))
  }

  @Test func htmlIsNotShownAndSecretsAreTakenOut() async throws {
    let text = miniature("auth: {bearer: '${credentials.token}'}\ncredentials: {token: it}")
    func message(_ body: String) async throws -> String? {
      let stub = StubTransport([TransportResponse(status: 500, body: Array(body.utf8))])
      let adapter = try adapter(text, stub, credentials: ["token": "s3cret-token"])
      return await #expect(throws: AdapterError.self) { try await adapter.get(RunKey(id: "a"), scope: AdapterScope()) }?.message
    }
    #expect(try await message("<html>trace</html>") == "Mini CI answered 500")
    #expect(try await message("bad token s3cret-token\n") == "bad token <redacted> ")
  }

  @Test func aFindWithoutRowIsNone() async throws {
    let stub = StubTransport([.json(["items": []]), TransportResponse(status: 404), .json(["items": [job("1")]])])
    let adapter = try adapter(miniature(), stub)
    #expect(try await adapter.find(submissionKey: "a b", template: nil, kind: .run, scope: AdapterScope()) == nil)
    #expect(try await adapter.find(submissionKey: "x", template: nil, kind: .run, scope: AdapterScope()) == nil)
    #expect(try await adapter.find(submissionKey: "x", template: nil, kind: .run, scope: AdapterScope())?.key.id == "1")
    #expect(stub.lines[0] == "GET /jobs?name=a%20b")
  }

  @Test func whatTheFileLacksIsUnsupported() async throws {
    let text = miniature("traits:\n  limitations: {schedule: Mini CI keeps no schedules}")
    let adapter = try adapter(text, StubTransport([]))
    var scheduled = submission
    scheduled.schedule = "* * * * *"
    let error = await #expect(throws: AdapterError.self) { try await adapter.submit(scheduled) }
    #expect(error == AdapterError(.unsupported, "Mini CI keeps no schedules"))
    var steps = submission
    steps.template = nil
    #expect(await #expect(throws: AdapterError.self) { try await adapter.submit(steps) }?.code == .unsupported)
    let abilities = adapter.abilities
    #expect(abilities.cancelling != nil && abilities.deleting != nil)
    #expect(
      abilities.retrying == nil && abilities.overlays == nil && abilities.logs == nil && abilities.templates == nil
        && abilities.incremental == nil)
    #expect(!adapter.traits.runsInlineSteps && !adapter.traits.keepsSchedules)
  }

  @Test func writesKeepTheirLimit() async throws {
    let text = miniature("limits: {concurrentWrites: 1}")
    let running = Peak()
    let stub = StubTransport { (_: TransportRequest) async throws(TransportError) in
      running.enter()
      for _ in 0..<20 { await Task.yield() }
      running.leave()
      return .json(job("1"))
    }
    let adapter = try adapter(text, stub)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { _ = try await adapter.submit(submission) } }
      try await group.waitForAll()
    }
    #expect(running.peak == 1)
    #expect(stub.requests.count == 8)
  }
}
