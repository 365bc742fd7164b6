import JSON
import KubeClient
import KubeWire
import Logging
import OrderedCollections
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10)))
struct InformerTests {
  @Test func listsInPagesAndWatchesOn() async {
    let run = await play([
      .answer(list(["a"], version: "10", next: "more")),
      .answer(list(["b"], version: "10")),
      .events([KubeEvent(.added, named("c", "11")), KubeEvent(.deleted, named("a", "12")), KubeEvent(.bookmark, named("", "20"))]),
      .events([KubeEvent(.modified, named("b", "21"))]),
    ])
    #expect(
      run.asked == [
        "GET /things?limit=500", "GET /things?limit=500&continue=more", "WATCH /things from 10", "WATCH /things from 20",
        "WATCH /things from 21",
      ])
    #expect(run.informer.objects.map { $0["metadata"]?["name"]?.string } == ["b", "c"])
    #expect(run.informer.object(name: "b")?["metadata"]?["resourceVersion"] == .string("21"))
    #expect(run.informer.hasSynced)
    #expect(run.changes == ["replaced 2", "set c", "deleted a", "set b"])
  }

  @Test func anExpiredVersionMeansANewListAtOnce() async {
    let expired = StatusError(Status(code: 410, reason: "Expired", message: "too old resource version: 10 (99)"))
    let run = await play([
      .answer(list(["a"], version: "10")),
      .events([], .status(expired)),
      .answer(list(["b"], version: "100")),
      .refusal(expired),
      .answer(list(["c"], version: "200")),
    ])
    #expect(
      run.asked == [
        "GET /things?limit=500", "WATCH /things from 10", "GET /things?limit=500", "WATCH /things from 100", "GET /things?limit=500",
        "WATCH /things from 200",
      ])
    #expect(run.informer.objects.map { $0["metadata"]?["name"]?.string } == ["c"])
    // The first at once, the second after a pause.
    #expect(run.sleeps.count == 1)
  }

  @Test func whatWasGoodStaysWhenTheClusterIsGone() async {
    let run = await play([
      .answer(list(["a"], version: "10")),
      .events([KubeEvent(.added, named("b", "11"))], .unreachable("reset")),
      .failure(.unreachable("refused")),
      .refusal(StatusError(Status(code: 503, reason: "ServiceUnavailable", message: "starting"), retryAfter: 40)),
      .events([KubeEvent(.added, named("c", "12"))]),
    ])
    // Never a new list: the version is still good.
    #expect(run.asked.filter { $0.hasPrefix("GET") }.count == 1)
    #expect(run.asked.filter { $0 == "WATCH /things from 11" }.count == 3)
    #expect(run.informer.objects.count == 3)
    #expect(run.sleeps.prefix(3) == [.milliseconds(800), .milliseconds(1600), .seconds(40)])
  }

  @Test func anExpiredPageMeansOneListInOnePiece() async {
    let run = await play([
      .answer(list(["a"], version: "10", next: "more")),
      .refusal(StatusError(Status(code: 410, reason: "Expired", message: "the provided continue parameter is too old"))),
      .answer(list(["b"], version: "11")),
    ])
    #expect(run.asked.prefix(3) == ["GET /things?limit=500", "GET /things?limit=500&continue=more", "GET /things"])
    #expect(run.informer.objects.count == 1)
  }

  @Test func managedFieldsAreLeftOut() async {
    let item = #"{"metadata":{"name":"a","managedFields":[{"manager":"x"}]},"data":{"k":"v"}}"#
    let run = await play([.answer(#"{"metadata":{"resourceVersion":"1"},"items":["# + item + "]}")])
    #expect(run.informer.objects == [.object(["metadata": .object(["name": .string("a")]), "data": .object(["k": .string("v")])])])
  }

  private struct Run {
    let informer: Informer
    let asked: [String]
    let changes: [String]
    let sleeps: [Duration]
  }

  /// Runs an informer until the play is over.
  private func play(_ plays: [FakeKubeAPI.Play]) async -> Run {
    let ended = AsyncStream<Void>.makeStream()
    let api = FakeKubeAPI(plays) { ended.continuation.yield() }
    let sleeps = Mutex<[Duration]>([])
    let changes = Mutex<[String]>([])
    let surroundings = Informer.Surroundings(
      sleep: { duration in
        sleeps.withLock { $0.append(duration) }
        try Task.checkCancellation()
        await Task.yield()
      }, random: { 0 })
    let informer = Informer(
      api, path: "/things", surroundings: surroundings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { change in
      changes.withLock { list in
        switch change {
        case .replaced(let all): list.append("replaced \(all.count)")
        case .set(let object): list.append("set \(object["metadata"]?["name"]?.string ?? "")")
        case .deleted(let object): list.append("deleted \(object["metadata"]?["name"]?.string ?? "")")
        }
      }
    }
    let task = Task { await informer.run() }
    for await _ in ended.stream { break }
    let asked = api.asked
    task.cancel()
    await task.value
    return Run(informer: informer, asked: asked, changes: changes.withLock { $0 }, sleeps: sleeps.withLock { $0 })
  }

  private func named(_ name: String, _ version: String) -> JSONValue {
    .object(["metadata": .object(["name": .string(name), "resourceVersion": .string(version)])])
  }

  private func list(_ names: [String], version: String, next: String = "") -> String {
    JSONValue.object([
      "metadata": .object(["resourceVersion": .string(version), "continue": .string(next)]),
      "items": .array(names.map { named($0, version) }),
    ]).text
  }
}
