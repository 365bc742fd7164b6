import AdapterKit
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Testing
import Translation

@testable import APIServer

/// Random writes of several clients, with an engine that moves by itself: what is answered fits a model, and every watcher ends where a list is.
@Suite(.timeLimit(.minutes(10))) struct RouterPropertyTests {
  @Test(arguments: 1...3 as ClosedRange<UInt64>) func writesOfSeveralClients(_ seed: UInt64) async throws {
    try await TestServer.run { server in
      var history = WriteHistory(server, seed: seed)
      for _ in 0..<150 {
        await history.step()
        await Task.yield()
      }
      #expect(history.faults.isEmpty, "seed \(seed): \(history.faults.prefix(5))")
      #expect(history.conflicts > 0 && history.written > 20, "seed \(seed): nothing happened")

      let end = try await server.gateway.list(.workflows, namespace: "default", options: ListOptions(), context: history.context)
      let expected = Dictionary(uniqueKeysWithValues: end.items.map { ($0.key, $0.version) })
      for start in history.snapshots {
        await Task.yield()
        var follower = Follower(start)
        try await follower.follow(server, to: end.version, stopping: nil)
        #expect(follower.versions == expected, "seed \(seed), from \(start.version)")
        #expect(follower.faults.isEmpty, "seed \(seed), from \(start.version): \(follower.faults.prefix(3))")
        // Once more, with breaks: what was told is not told again.
        var resumed = Follower(start)
        var random = history.random
        while resumed.last < end.version {
          let before = resumed.last
          try await resumed.follow(server, to: end.version, stopping: Int.random(in: 1...7, using: &random))
          if resumed.last == before { break }
        }
        #expect(
          resumed.versions == expected && resumed.faults.isEmpty, "seed \(seed), resumed from \(start.version): \(resumed.faults.prefix(3))"
        )
      }
    }
  }
}

/// What clients did, and what should have come of it.
private struct WriteHistory {
  /// What the clients made of an object; nil for one that is gone.
  struct Known {
    var uid: String
    var labels: [String: String]
    var finalizers: [String]
    var isTerminating = false
  }

  let server: TestServer
  var random: TestRandom
  var model: [String: Known] = [:]
  /// The copies that three clients hold; old ones are refused.
  var copies: [[String: JSONValue]] = [[:], [:], [:]]
  var snapshots: [ListResult] = []
  var faults: [String] = []
  var conflicts = 0
  var written = 0

  private static let path = "/namespaces/default/workflows"
  private static let names = (0..<6).map { "w\($0)" }

  init(_ server: TestServer, seed: UInt64) {
    self.server = server
    random = TestRandom(seed)
  }

  var context: RequestContext {
    let now = SystemClock().now
    return RequestContext(user: UserInfo(name: "test"), now: now, deadline: now + .seconds(120))
  }

  mutating func step() async {
    let name = Self.names.randomElement(using: &random)!
    let client = Int.random(in: 0..<3, using: &random)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<4: await create(name)
    case 4..<6: copies[client][name] = await server.get("\(Self.path)/\(name)").json
    case 6..<9: await put(name, client)
    case 9..<12: await patch(name)
    case 12..<14: await hold(name)
    case 14..<16: await delete(name)
    case 16: await status(name)
    case 17, 18: moveEngine()
    default:
      if let list = try? await server.gateway.list(.workflows, namespace: "default", options: ListOptions(), context: context) {
        snapshots.append(list)
      }
    }
  }

  private mutating func fault(_ what: String, _ answer: TestServer.Answer) { faults.append("\(what): \(answer.status) \(answer.message)") }

  private mutating func check(_ what: String, _ name: String, _ answer: TestServer.Answer) {
    written += 1
    let metadata = answer.json["metadata"]
    let labels = Self.labels(answer.json)
    let wanted = model[name]
    if metadata?["uid"]?.string != wanted?.uid { faults.append("\(what) \(name): another uid") }
    if labels != wanted?.labels { faults.append("\(what) \(name): labels \(labels), not \(wanted?.labels ?? [:])") }
    let finalizers = metadata?["finalizers"]?.array?.compactMap(\.string) ?? []
    if finalizers != wanted?.finalizers { faults.append("\(what) \(name): finalizers \(finalizers)") }
  }

  /// Those that are not the gateway's.
  private static func labels(_ object: JSONValue) -> [String: String] {
    var labels: [String: String] = [:]
    for (key, value) in object["metadata"]?["labels"]?.object ?? [:] where !key.hasPrefix("workflow.example.com/") {
      labels[key] = value.string
    }
    return labels
  }

  private mutating func create(_ name: String) async {
    let answer = await server.post(Self.path, TestServer.manifest(name))
    if let known = model[name] {
      // A deletion that was asked for can have ended meanwhile.
      guard answer.status == 201, known.isTerminating, known.finalizers.isEmpty else {
        if answer.status != 409 { fault("create of \(name), which is there", answer) }
        return
      }
    }
    guard answer.status == 201, let uid = answer.json["metadata"]?["uid"]?.string else { return fault("create \(name)", answer) }
    model[name] = Known(uid: uid, labels: ["team": "build"], finalizers: [])
    check("create", name, answer)
  }

  private mutating func put(_ name: String, _ client: Int) async {
    guard var copy = copies[client][name], copy["kind"] == "Workflow" else { return }
    let value = "v\(Int.random(in: 0..<1000, using: &random))"
    copy["metadata"]?["labels"]?["put"] = .string(value)
    let answer = await server.put("\(Self.path)/\(name)", copy)
    switch answer.status {
    case 200:
      // What it holds was the newest; so is now what it got.
      var labels = Self.labels(copy)
      labels["put"] = value
      model[name]?.labels = labels
      check("put", name, answer)
      copies[client][name] = answer.json
    case 409: conflicts += 1
    case 404: if let known = model[name], !known.isTerminating { fault("put \(name)", answer) } else { model[name] = nil }
    default: fault("put \(name)", answer)
    }
  }

  private mutating func patch(_ name: String) async {
    let key = ["x", "y", "z"].randomElement(using: &random)!
    let value: String? = Bool.random(using: &random) ? "p\(Int.random(in: 0..<1000, using: &random))" : nil
    let answer: TestServer.Answer
    if Bool.random(using: &random) {
      answer = await server.patch(
        "\(Self.path)/\(name)", .merge, JSONValue.object(["metadata": ["labels": .object([key: value.map { .string($0) } ?? .null])]]).text)
    } else {
      let operation: JSONValue = ["op": "add", "path": .string("/metadata/labels/\(key)"), "value": .string(value ?? "set")]
      answer = await server.patch("\(Self.path)/\(name)", .json, JSONValue.array([operation]).text)
      return patched(name, key, value ?? "set", answer)
    }
    patched(name, key, value, answer)
  }

  private mutating func patched(_ name: String, _ key: String, _ value: String?, _ answer: TestServer.Answer) {
    guard let known = model[name] else {
      if answer.status != 404 { fault("patch of \(name), which is not there", answer) }
      return
    }
    if answer.status == 404, known.isTerminating {
      model[name] = nil
      return
    }
    guard answer.status == 200 else { return fault("patch \(name)", answer) }
    model[name]?.labels[key] = value
    check("patch", name, answer)
  }

  /// Puts a finalizer on it, or takes it away.
  private mutating func hold(_ name: String) async {
    guard let known = model[name] else { return }
    let finalizers: [String] = known.finalizers.isEmpty && !known.isTerminating ? ["example.com/f"] : []
    let answer = await server.patch(
      "\(Self.path)/\(name)", .merge, JSONValue.object(["metadata": ["finalizers": .array(finalizers.map { .string($0) })]]).text)
    if answer.status == 404, known.isTerminating {
      model[name] = nil
      return
    }
    guard answer.status == 200 else { return fault("hold \(name)", answer) }
    model[name]?.finalizers = finalizers
    check("hold", name, answer)
    if known.isTerminating { model[name] = nil }
  }

  private mutating func delete(_ name: String) async {
    let answer = await server.send("DELETE", "\(Self.path)/\(name)")
    guard let known = model[name] else {
      if answer.status != 404 { fault("delete of \(name), which is not there", answer) }
      return
    }
    switch (answer.status, answer.json["kind"]?.string) {
    case (200, "Status"):
      if !known.finalizers.isEmpty { fault("delete of \(name), which is held", answer) }
      model[name] = nil
    case (200, _):
      model[name]?.isTerminating = true
      check("delete", name, answer)
    case (404, _) where known.isTerminating: model[name] = nil
    default: fault("delete \(name)", answer)
    }
  }

  private mutating func status(_ name: String) async {
    let answer = await server.patch(
      "\(Self.path)/\(name)/status", .merge, #"{"status":{"mine":\#(Int.random(in: 0..<1000, using: &random))}}"#)
    guard let known = model[name], answer.status == 200 else {
      if model[name] != nil, !(model[name]?.isTerminating ?? false) { fault("status \(name)", answer) }
      return
    }
    if answer.json["metadata"]?["uid"]?.string != known.uid { faults.append("status \(name): another uid") }
  }

  /// Things happen in the engine, too.
  private mutating func moveEngine() {
    guard let key = server.engine.keys.randomElement(using: &random), case .present(let core)? = server.engine.peek(key)?.core else {
      return
    }
    if core.phase == .pending, Bool.random(using: &random) {
      try? server.engine.start(key)
    } else if core.phase == .running, Bool.random(using: &random) {
      try? server.engine.finish(key)
    } else {
      let number = Int.random(in: 0..<9, using: &random)
      try? server.engine.edit(key) { $0.message = "m\(number)" }
    }
  }
}

/// A watcher with what it has put together: keys and versions.
private struct Follower {
  var versions: [String: UInt64]
  var last: UInt64
  var faults: [String] = []

  init(_ list: ListResult) {
    versions = Dictionary(uniqueKeysWithValues: list.items.map { ($0.key, $0.version) })
    last = list.version
  }

  /// - Parameter stopping: after so many events; nil for all.
  mutating func follow(_ server: TestServer, to end: UInt64, stopping: Int?) async throws {
    let now = SystemClock().now
    var options = ListOptions()
    options.resourceVersion = String(last)
    let watch = try await server.gateway.watch(
      .workflows, namespace: "default", options: options,
      context: RequestContext(user: UserInfo(name: "test"), now: now, deadline: now + .seconds(120)))
    watch.start {}
    defer { watch.cancel() }
    var count = 0
    while true {
      switch watch.next(limit: 1) {
      case .events(let events):
        for event in events {
          guard event.object.version <= end else {
            last = end
            return
          }
          apply(event)
        }
        count += 1
        if count == stopping { return }
      case .wait:
        last = max(last, end)
        return
      case .expired, .ended, .initialEventsEnd:
        faults.append("the watch ended")
        return
      }
    }
  }

  private mutating func apply(_ event: WatchEvent) {
    let key = event.object.key
    if event.object.version <= last { faults.append("\(event.kind) \(key) at \(event.object.version) after \(last)") }
    last = max(last, event.object.version)
    switch event.kind {
    case .added:
      if versions.updateValue(event.object.version, forKey: key) != nil { faults.append("ADDED \(key) twice") }
    case .modified:
      if versions.updateValue(event.object.version, forKey: key) == nil { faults.append("MODIFIED \(key) never added") }
    case .deleted: if versions.removeValue(forKey: key) == nil { faults.append("DELETED \(key) never added") }
    }
  }
}

/// The same numbers for the same seed.
private struct TestRandom: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
