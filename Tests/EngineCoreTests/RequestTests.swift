import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct RequestTests {
  @Test(arguments: [
    (#"[]"#, "body"), (#"{}"#, "steps"), (#"{"steps":[]}"#, "steps"),
    (#"{"template":"t","steps":[{"name":"a","command":["x"]}]}"#, "steps"),
    (#"{"steps":[{"name":"a"}]}"#, "steps[0].command"), (#"{"steps":[{"command":["x"]}]}"#, "steps[0].name"),
    (#"{"steps":[{"name":"a","command":["x"]},{"name":"a","command":["x"]}]}"#, "steps[1].name"),
    (#"{"steps":[{"name":"a","command":"x"}]}"#, "steps[0].command"), (#"{"steps":[{"name":"a","command":[1]}]}"#, "steps[0].command[0]"),
    (#"{"steps":[{"name":"a","command":[""]}]}"#, "steps[0].command[0]"),
    (#"{"steps":[{"name":"a","command":["x"],"env":{"A":1}}]}"#, "steps[0].env.A"),
    (#"{"steps":[{"name":"a","command":["x"],"env":{"A=B":"1"}}]}"#, "steps[0].env"),
    (#"{"steps":[{"name":"a","command":["x"],"cmd":["y"]}]}"#, "steps[0].cmd"), (#"{"template":"t","timeout":0}"#, "timeout"),
    (#"{"template":"t","timeout":"30m"}"#, "timeout"), (#"{"template":"t","timeZone":"UTC"}"#, "timeZone"),
    (#"{"template":"t","labels":{"a":1}}"#, "labels.a"),
    (#"{"template":"t","suspended":"yes"}"#, "suspended"), (#"{"template":"t","parameters":[]}"#, "parameters"),
    (#"{"template":"t","idempotencyKey":""}"#, "idempotencyKey"), (#"{"template":"t\u0000"}"#, "template"),
  ]) func refusedWithTheField(_ body: String, _ field: String) {
    let error = refusal { _ = try JobRequest(JSONDocument(body).root) }
    #expect(error?.status == 422)
    #expect(error?.field == field)
  }

  @Test func unknownFieldsAreAllNamed() {
    let error = refusal { _ = try JobRequest(JSONDocument(#"{"template":"t","foo":1,"bar":2}"#).root) }
    #expect(error?.code == "unknownField" && error?.message == "unknown fields: foo, bar")
  }

  @Test func documentsAreKeptByteForByteAndBounded() throws {
    let request = try JobRequest(JSONDocument("{\"template\":\"t\",\"envelope\":{ \"a\" : 1.00,\n\"b\":12345678901234567890 }}").root)
    #expect(
      request.attachments.envelope.map { String(decoding: $0.bytes, as: UTF8.self) } == "{ \"a\" : 1.00,\n\"b\":12345678901234567890 }")
    let text = try JobRequest(JSONDocument(#"{"template":"t","overlay":"a\nb"}"#).root)
    #expect(text.attachments.overlay.map { String(decoding: $0.bytes, as: UTF8.self) } == #""a\nb""#)
    let large = String(repeating: "x", count: (256 << 10) + 1)
    #expect(refusal { _ = try JobRequest(JSONDocument(#"{"template":"t","overlay":"\#(large)"}"#).root) }?.field == "overlay")
  }

  @Test(arguments: [
    ("$(params.a)", "1"), ("x-$(params.b)-$(params.a)", "x-two-1"), ("$(params.c)", #"{"d":[true]}"#), ("$(params.none)", "$(params.none)"),
    ("$$(params.a)", "$(params.a)"), ("$(pwd) $HOME $", "$(pwd) $HOME $"), ("$(params.a", "$(params.a"),
  ]) func parametersAreFilledIn(_ text: String, _ expected: String) throws {
    let parameters = try #require(try JSONValue(parsing: #"{"a":1,"b":"two","c":{"d":[true]}}"#).object)
    #expect(StepCommand.substitute(text, parameters) == expected)
  }

  @Test func parametersAreInTheEnvironment() throws {
    var history = History()
    guard
      case .job(let job, _) = try history.create(
        #"{"steps":[{"name":"a","command":["x"],"env":{"E":"$(params.git-ref)","WORKFLOW_JOB_ID":"no"}}],"parameters":{"git-ref":"main","n":[1]}}"#
      )
    else { return }
    let environment = StepCommand(job: job, step: 0).environment
    #expect(environment["WORKFLOW_PARAM_GIT_REF"] == "main" && environment["WORKFLOW_PARAM_N"] == "[1]" && environment["E"] == "main")
    #expect(environment["WORKFLOW_JOB_ID"] == job.id && environment["WORKFLOW_STEP"] == "a" && environment["WORKFLOW_ATTEMPT"] == "1")
  }

  @Test(arguments: [
    (#"{"s":1}"#, "parameters.s"), (#"{"s":"toolong"}"#, "parameters.s"), (#"{"n":1.5}"#, "parameters.n"), (#"{"n":11}"#, "parameters.n"),
    (#"{"e":"c"}"#, "parameters.e"), (#"{"x":1}"#, "parameters.x"), (#"{"l":[1,"a"]}"#, "parameters.l[1]"),
    (#"{"o":{}}"#, "parameters.o.k"),
    (#"{"p":"xyz"}"#, "parameters.p"),
  ]) func parametersAreHeldAgainstTheSchema(_ text: String, _ field: String) throws {
    let schema = try ParameterSchema(
      JSONValue(
        parsing: #"""
          {"additionalProperties":false,"properties":{"s":{"type":["string","null"],"maxLength":3},"n":{"type":"integer","maximum":10},
          "e":{"enum":["a","b"]},"l":{"type":"array","items":{"type":"integer"}},"o":{"type":"object","required":["k"]},"p":{"pattern":"^[0-9]+$"}}}
          """#
      ).object)
    let parameters = try #require(try JSONValue(parsing: text).object)
    #expect(refusal { _ = try schema.completed(parameters) }?.field == field)
  }

  @Test(arguments: [
    #"{"parameters":{"type":"text"},"steps":[{"name":"a","command":["x"]}]}"#, #"{"steps":[]}"#,
    #"{"name":"other","steps":[{"name":"a","command":["x"]}]}"#,
  ])
  func malformedTemplates(_ text: String) {
    #expect(refusal { _ = try TemplateRequest.template(JSONDocument(text).root, name: "t", now: Timestamp(seconds: 0)) }?.status == 422)
  }

  @Test(arguments: [
    ("slow=200", "slow=200"), ("503;count=2;path=/v1/jobs*", "status=503;count=2;path=/v1/jobs*"), ("429=7", "status=429;retryAfter=7"),
    ("status=500;method=POST", "status=500;method=POST"), ("partial-page=json", "partial-page=json"), ("clock-skew=-30", "clock-skew=-30"),
    ("forget=x", "forget=x"),
  ]) func faults(_ text: String, _ written: String) throws { #expect(try Fault(text).text == written) }

  @Test(arguments: ["", "slow", "status=200", "boom", "slow=1;foo=2", "forget"]) func malformedFaults(_ text: String) {
    #expect(refusal { _ = try Fault(text) }?.status == 422)
  }

  @Test func faultsAreCountedAndMatched() throws {
    var table = FaultTable()
    table.set([try Fault("503;count=2;method=POST;path=/v1/jobs*"), try Fault("slow=1")])
    #expect(try table.strike(method: "GET", path: "/v1/jobs", header: []) == [.slow(1)])
    #expect(
      try table.strike(method: "POST", path: "/v1/jobs/x", header: ["close-after"]) == [
        .closeAfter, .status(503, retryAfter: nil), .slow(1),
      ])
    #expect(try table.strike(method: "POST", path: "/v1/jobs", header: []).count == 2)
    #expect(try table.strike(method: "POST", path: "/v1/jobs", header: []) == [.slow(1)])
  }

  @Test(arguments: ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8090", "127.9.8.7", "[::1]", "[::1]:80"]) func hostsOfThisMachine(
    _ host: String
  ) {
    #expect(AccessCheck.isLoopback(host))
  }

  @Test(arguments: [
    "example.com", "127.0.0.1.example.com", "localhost.example.com:80", "10.0.0.1", "[::2]", "[::1].com", "", "127.0.0.1:x",
    "localhost:99999", "127.0.0",
  ])
  func foreignHosts(_ host: String) { #expect(!AccessCheck.isLoopback(host)) }

  @Test func tokens() throws {
    let token = try #require(BearerToken("secret\n".utf8))
    #expect(token.matches(authorization: "Bearer secret") && token.matches(authorization: "bearer secret"))
    for wrong in ["Bearer secre", "Bearer secrets", "Bearer secreT", "secret", "Basic secret", "Bearer ", ""] {
      #expect(!token.matches(authorization: wrong))
    }
    #expect(BearerToken("\n".utf8) == nil)
  }

  @Test func ids() {
    var generator = IDGenerator(seed: 1)
    let now = Timestamp("2026-03-01T12:00:00Z")!
    let ids = (0..<100).map { _ in generator.next(now: now) } + [generator.next(now: Timestamp(seconds: 5))]
    #expect(ids == ids.sorted() && Set(ids).count == 101 && ids.allSatisfy { $0.count == 16 })
    #expect(IDGenerator.time(of: ids[0]) == now.microseconds)
  }

  @Test(arguments: [
    "2026-03-01T12:00:00.123456Z", "1969-12-31T23:59:59.999999Z", "2000-02-29T00:00:00.000000Z", "2262-01-01T00:00:00.000001Z",
  ])
  func timestamps(_ text: String) { #expect(Timestamp(text)?.description == text) }

  @Test func httpDates() { #expect(Timestamp("2026-11-22T21:05:56Z")?.httpDate == "Sun, 22 Nov 2026 21:05:56 GMT") }

  @Test func timestampsWithOffsets() {
    #expect(Timestamp("2026-03-01T12:00:00+02:30")?.description == "2026-03-01T09:30:00.000000Z")
    #expect(Timestamp("2026-03-01T12:00:00.1234567Z")?.description == "2026-03-01T12:00:00.123456Z")
    for wrong in ["2026-02-30T00:00:00Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00.Z", "now"] {
      #expect(Timestamp(wrong) == nil)
    }
  }
}
