import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing
import Translation

@testable import APIServer

/// Every write asks admission, in the order mutate, validate, write, finish.
@Suite(.timeLimit(.minutes(10))) struct RouterAdmissionTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"

  @Test func everyWriteAsks() async throws {
    let admission = TestAdmission()
    try await TestServer(admission: admission).run { server in
      let made = await server.post(Self.collection, TestServer.manifest("a"), query: "fieldManager=me")
      #expect(made.status == 201 && made.json["metadata"]?["labels"]?["admitted"] == "CREATE", "\(made.message)")
      #expect(admission.taken() == ["mutate CREATE  a", "validate CREATE  a new", "finish CREATE  a"])
      _ = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}}}"#)
      #expect(admission.taken() == ["mutate UPDATE  a", "validate UPDATE  a new old", "finish UPDATE  a"])
      _ = await server.put(Self.a, await server.get(Self.a).json)
      #expect(admission.taken() == ["mutate UPDATE  a", "validate UPDATE  a new old", "finish UPDATE  a"])
      _ = await server.patch(Self.a + "/status", .merge, #"{"status":{"mine":1}}"#)
      #expect(admission.taken() == ["mutate UPDATE status a", "validate UPDATE status a new old", "finish UPDATE status a"])
      _ = await server.send("POST", Self.a + "/cancel")
      #expect(admission.taken() == ["mutate CREATE cancel a", "validate CREATE cancel a new", "finish CREATE cancel a"])
      _ = await server.send("POST", Self.a + "/retry")
      #expect(admission.taken() == ["mutate CREATE retry a", "validate CREATE retry a new", "finish CREATE retry a"])
      _ = await server.send("DELETE", Self.collection)
      #expect(admission.taken() == ["mutate DELETE  a", "validate DELETE  a old", "finish DELETE  a"])
    }
  }

  @Test func aDeletionIsAdmittedForTheObjectThatIsDeleted() async throws {
    let protection = Protection()
    try await TestServer(admission: protection).run { server in
      _ = await server.make("a")
      protection.meanwhile { _ = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"protected":"yes"}}}"#) }
      let answer = await server.send("DELETE", Self.a)
      #expect(answer.status == 403 && protection.seen.first == false && protection.seen.last == true, "\(protection.seen)")
      #expect(await server.get(Self.a).status == 200 && server.engine.calls(.delete) == 0)
    }
  }

  @Test("a plugin's 403 is no \"not ours\", whatever its text says") func aRefusedCollection() async throws {
    try await TestServer(admission: Protection()).run { server in
      _ = await server.make("a")
      _ = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"protected":"yes"}}}"#)
      let answer = await server.send("DELETE", Self.collection)
      #expect(answer.status == 403 && answer.message.contains("access: protected") && answer.warnings.isEmpty, "\(answer.message)")
    }
  }

  @Test(arguments: [("namespace", "watched"), ("kind", "Pod")]) func pluginsMakeNoOtherObject(_ member: String, _ value: String)
    async throws
  {
    try await TestServer(admission: Renaming(member: member, value: value)).run { server in
      #expect(await server.post(Self.collection, TestServer.manifest("a")).status == 400 && server.engine.calls(.submit) == 0)
    }
  }

  @Test func anApplyMakesTheObjectOfItsURL() async throws {
    try await TestServer(admission: Renaming(member: "name", value: "other")).run { server in
      let answer = await server.patch(Self.a, .apply, TestServer.manifest("a"), query: "fieldManager=me")
      #expect(answer.status == 400 && answer.message.contains("(other) does not match the name on the URL (a)"), "\(answer.message)")
      #expect(server.engine.calls(.submit) == 0)
    }
  }

  @Test("S3: applies that meet make one object") func appliesThatMeet() async throws {
    try await TestServer().run { server in
      let statuses = await withTaskGroup(of: Int.self) { group in
        for i in 0..<4 {
          group.addTask {
            let manifest = TestServer.manifest("a").replacing(#""name":"a""#, with: #""name":"a","annotations":{"by\#(i)":"x"}"#)
            return await server.patch(Self.a, .apply, manifest, query: "fieldManager=m\(i)").status
          }
        }
        return await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(statuses.sorted() == [200, 200, 200, 201] && server.engine.calls(.submit) == 1, "\(statuses)")
      #expect(await server.get(Self.a).json["metadata"]?["annotations"]?.object?.count == 4)
    }
  }

  @Test func aRefusalWritesNothing() async throws {
    let admission = TestAdmission()
    try await TestServer(admission: admission).run { server in
      admission.refuse(true)
      let made = await server.post(Self.collection, TestServer.manifest("a"))
      #expect(made.status == 403 && server.engine.calls(.submit) == 0)
      admission.refuse(false)
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      admission.refuse(true)
      #expect(await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}}}"#).status == 403)
      #expect(await server.send("DELETE", Self.a).status == 403)
      #expect(await server.send("POST", Self.a + "/cancel").status == 403)
      #expect(server.engine.calls(.setOverlay) == 0 && server.engine.calls(.delete) == 0 && server.engine.calls(.cancel) == 0)
    }
  }
}

/// The deletion of what has the label `protected` is refused; while the first one is looked at, somebody sets it.
final class Protection: Admitting {
  private let state = Mutex<(seen: [Bool], meanwhile: (@Sendable () async -> Void)?)>(([], nil))

  var seen: [Bool] { state.withLock { $0.seen } }
  func meanwhile(_ body: @escaping @Sendable () async -> Void) { state.withLock { $0.meanwhile = body } }

  func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue? { attributes.object }

  func validate(_ attributes: AdmissionAttributes) async throws(StatusError) {
    guard attributes.operation == .delete else { return }
    let isProtected = attributes.oldObject?["metadata"]?["labels"]?["protected"] != nil
    let meanwhile = state.withLock { state in
      state.seen.append(isProtected)
      defer { state.meanwhile = nil }
      return state.meanwhile
    }
    if isProtected {
      throw .forbidden(resource: "workflows", group: "workflow.example.com", name: attributes.name, reason: "access: protected")
    }
    await meanwhile?()
  }

  func finish(_ attributes: AdmissionAttributes) {}
}

/// Renames what is made.
struct Renaming: Admitting {
  var member: String
  var value: String

  func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue? {
    var object = attributes.object
    if member == "kind" { object?["kind"] = .string(value) } else { object?["metadata"]?[member] = .string(value) }
    return object
  }
  func validate(_ attributes: AdmissionAttributes) async throws(StatusError) {}
  func finish(_ attributes: AdmissionAttributes) {}
}

final class TestAdmission: Admitting {
  private let state = Mutex<(calls: [String], refuses: Bool, open: Set<String>)>(([], false, []))

  func refuse(_ flag: Bool) { state.withLock { $0.refuses = flag } }

  func taken() -> [String] {
    state.withLock { state in
      defer { state.calls = [] }
      return state.calls
    }
  }

  private static func text(_ what: String, _ a: AdmissionAttributes) -> String {
    "\(what) \(a.operation.rawValue) \(a.subresource) \(a.name)"
  }

  func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue? {
    state.withLock { $0.calls.append(Self.text("mutate", attributes)) }
    guard attributes.operation == .create, attributes.subresource.isEmpty, var object = attributes.object else { return attributes.object }
    object["metadata"]?["labels"]?["admitted"] = "CREATE"
    return object
  }

  func validate(_ attributes: AdmissionAttributes) async throws(StatusError) {
    let refuses = state.withLock { state in
      let objects = (attributes.object == nil ? "" : " new") + (attributes.oldObject == nil ? "" : " old")
      state.calls.append(Self.text("validate", attributes) + objects)
      if !state.refuses { state.open.insert(attributes.uid) }
      return state.refuses
    }
    if refuses { throw .forbidden(resource: "workflows", group: "workflow.example.com", name: attributes.name, reason: "no") }
  }

  func finish(_ attributes: AdmissionAttributes) {
    state.withLock { state in
      state.calls.append(Self.text("finish", attributes) + (state.open.remove(attributes.uid) == nil ? " unknown" : ""))
    }
  }
}
