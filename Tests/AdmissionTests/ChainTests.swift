import JSON
import KubeClient
import KubeWire
import Logging
import Testing
import Translation

@testable import Admission

@Suite struct ChainTests {
  /// kubernetes-wire C6.
  @Test func namespaces() async throws {
    let cluster = FakeCluster()
    cluster.put("/api/v1/namespaces", FakeCluster.namespace("going", phase: "Terminating"))
    try await withChain(cluster) { chain in
      let admitted = try await chain.mutate(aWrite())
      #expect(admitted == workflow("build"))
      let missing = await chain.mutating(aWrite(namespace: "nope"))
      #expect(missing?.code == 404 && missing?.status.message == "namespaces \"nope\" not found")
      let going = await chain.mutating(aWrite(namespace: "going"))
      #expect(going?.code == 403 && going?.status.details?.causes.first?.reason == "NamespaceTerminating")
      #expect(
        going?.status.message
          == #"workflows.workflow.example.com "build" is forbidden: unable to create new content in namespace going because it is being terminated"#
      )
      // What is there already can still be changed and deleted.
      #expect(await chain.mutating(aWrite(.update, namespace: "going")) == nil)
      #expect(await chain.mutating(aWrite(.delete, namespace: "going")) == nil)
    }
  }

  @Test func aNamespaceThatTheCopyLacksIsAskedFor() async throws {
    let cluster = FakeCluster()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let namespaces = ClusterNamespaces(api: cluster, clock: StandingClock(), logger: logger)
    #expect(try await namespaces.state(of: "team") == .active)
    #expect(try await namespaces.state(of: "nope") == .missing)
    #expect(cluster.requests == ["GET /api/v1/namespaces/team", "GET /api/v1/namespaces/nope"])
    cluster.fail("/api/v1/namespaces/team", .unreachable("no route"))
    let refused = await refusal { _ = try await namespaces.state(of: "team") }
    #expect(refused?.code == 503)
    #expect(
      refused?.status.message == #"namespace "team" could not be looked up in the cluster: its API server cannot be reached"#)
    // A 404 without the name of what is missing is not the cluster's word.
    cluster.blind(true)
    let blind = await refusal { _ = try await namespaces.state(of: "other") }
    #expect(blind?.code == 503, "\(blind?.status.message ?? "no refusal")")
  }

  /// What every cluster has is never taken to be empty, whatever discovery says.
  @Test(arguments: [
    "\(admission)/validatingwebhookconfigurations", "\(admission)/mutatingwebhookconfigurations", "/api/v1/namespaces",
    "/api/v1/resourcequotas",
  ]) func a404OfWhatEveryClusterHasIsAProblem(_ path: String) async throws {
    let cluster = FakeCluster(collections: FakeCluster.collections.filter { $0 != path })
    try await withUnreadyChain(cluster) { chain in
      await allListsHaveEnded(chain)
      let refused = await chain.mutating(aWrite(seconds: 1_000_000))
      #expect(refused?.code == 503 && !chain.isReady)
      let name = String(path.split(separator: "/").last!)
      let text = "not yet ready to handle request: \(name): it answered 404 to the gateway's list of \(name)"
      #expect(refused?.status.message.hasSuffix(text) == true, "\(refused?.status.message ?? "")")
      cluster.put(path, FakeCluster.namespace("team"))
      while !chain.isReady { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  /// Policies may be missing, but only discovery says so.
  @Test func a404OfEverythingIsNotACluster() async throws {
    let cluster = FakeCluster(collections: FakeCluster.collections.filter { !$0.contains("admissionpolic") })
    cluster.fail("/apis/admissionregistration.k8s.io", .status(.unknownPath))
    try await withUnreadyChain(cluster) { chain in
      await allListsHaveEnded(chain)
      let refused = await chain.mutating(aWrite(seconds: 1_000_000))
      #expect(refused?.code == 503)
      #expect(refused?.status.message.contains("validatingadmissionpolicies: it answered 404") == true, "\(refused?.status.message ?? "")")
      cluster.fail("/apis/admissionregistration.k8s.io", KubeError?.none)
      while !chain.isReady { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  /// A load balancer that lost the cluster: what was known stays in force.
  @Test func a404LaterChangesNothing() async throws {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingadmissionpolicies", policy("p", ["validations": [["expression": "false"]]]))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("b", policy: "p"))
    cluster.put("\(admission)/validatingwebhookconfigurations", configuration("c", webhook("check.example.com")))
    let hooks = FakeWebhooks(["/check": { _ in .response(["allowed": false]) }])
    try await withChain(cluster, webhooks: hooks, clock: JumpingClock()) { chain in
      while cluster.watched < FakeCluster.collections.count { await Task.yield() }
      let before = cluster.requests.count
      cluster.blind(true)
      // Every copy was looked for anew several times.
      while cluster.requests.count < before + 200 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(chain.isReady)
      #expect(await chain.validating(aWrite(seconds: 10_000_000))?.status.message.contains("ValidatingAdmissionPolicy") == true)
      // The policy that discovery says is gone is gone, the webhook is not.
      cluster.drop("\(admission)/validatingadmissionpolicies")
      cluster.blind(false)
      cluster.fail("\(admission)/validatingwebhookconfigurations", .status(.unknownPath))
      while await chain.validating(aWrite(seconds: 10_000_000))?.status.message.contains("admission webhook") != true {
        try await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  @Test func addressesAreNotShown() async throws {
    let cluster = FakeCluster()
    cluster.fail("/api/v1/resourcequotas", .unreachable("cannot reach the cluster at https://10.1.2.3:6443: refused"))
    try await withUnreadyChain(cluster) { chain in
      await allListsHaveEnded(chain)
      let message = await chain.mutating(aWrite(seconds: 1_000_000))?.status.message ?? ""
      #expect(message.hasSuffix("not yet ready to handle request: resourcequotas: its API server cannot be reached"), "\(message)")
      #expect(!message.contains("10.1.2.3"))
    }
  }

  @Test func aMissingPermissionIsToldAtOnce() async throws {
    let cluster = FakeCluster()
    cluster.fail("\(admission)/validatingwebhookconfigurations", .status(.forbidden("User \"x\" cannot list")))
    try await withUnreadyChain(cluster) { chain in
      var refused: StatusError?
      repeat { refused = await chain.mutating(aWrite()) } while refused?.status.message.contains("may not list") != true
      #expect(refused?.code == 503 && refused?.retryAfter == nil)
      #expect(
        refused?.status.message.hasSuffix(
          "the gateway's account may not list validatingwebhookconfigurations; it needs the ClusterRole workflow-apiserver of deploy/")
          == true)
    }
  }

  @Test func writesAreRefusedUntilEverythingIsKnown() async throws {
    let cluster = FakeCluster()
    cluster.fail("\(admission)/validatingwebhookconfigurations", .unreachable("refused"))
    try await withUnreadyChain(cluster) { chain in
      let refused = await chain.mutating(aWrite(seconds: 1_000_000))
      #expect(refused?.code == 503 && refused?.retryAfter == 1)
      #expect(refused?.status.message.contains("is forbidden: not yet ready to handle request: ") == true)
      #expect(await chain.validating(aWrite(seconds: 1_000_000))?.code == 503)
      #expect(!chain.isReady)
      cluster.fail("\(admission)/validatingwebhookconfigurations", KubeError?.none)
      while !chain.isReady { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  /// An older cluster: policies in an older version, or not at all.
  @Test func olderVersionsAreRead() async throws {
    let beta = "/apis/admissionregistration.k8s.io/v1beta1"
    let served = FakeCluster.collections.filter { !$0.contains("admissionpolic") }
    let cluster = FakeCluster(
      collections: served + ["\(beta)/validatingadmissionpolicies", "\(beta)/validatingadmissionpolicybindings"])
    cluster.put("\(beta)/validatingadmissionpolicies", policy("old", ["validations": [["expression": "false", "message": "m"]]]))
    cluster.put("\(beta)/validatingadmissionpolicybindings", binding("b", policy: "old"))
    try await withChain(cluster) { chain in
      #expect(await chain.validating(aWrite())?.code == 422)
      let admitted = try await chain.mutate(aWrite())
      #expect(admitted == workflow("build"))
    }
  }

  /// The cluster was upgraded: what was read in an old version is read in the new one, not remembered for ever.
  @Test func anUpgradeOfTheCluster() async throws {
    let beta = "/apis/admissionregistration.k8s.io/v1beta1/validatingadmissionpolicies"
    let cluster = FakeCluster(collections: FakeCluster.collections.filter { !$0.hasSuffix("/validatingadmissionpolicies") } + [beta])
    cluster.put(beta, policy("old", ["validations": [["expression": "false"]]]))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("b", policy: "old"))
    try await withChain(cluster, clock: JumpingClock()) { chain in
      #expect(await chain.validating(aWrite(seconds: 1_000_000)) != nil)
      cluster.put("\(admission)/validatingadmissionpolicies", policy("new", ["validations": [["expression": "true"]]]))
      cluster.drop(beta)
      while await chain.validating(aWrite(seconds: 1_000_000)) != nil { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  /// Mutation, policies, webhooks, quota: in this order, and what refuses first is what is told.
  @Test func order() async throws {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingadmissionpolicies", policy("p", ["validations": [["expression": "object.metadata.name != 'bad'"]]]))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("b", policy: "p"))
    cluster.put("\(admission)/validatingwebhookconfigurations", configuration("c", webhook("check.example.com")))
    cluster.put(
      "/api/v1/resourcequotas",
      ["metadata": ["name": "q", "namespace": "team"], "spec": ["hard": ["count/workflows.workflow.example.com": "0"]]])
    let hooks = FakeWebhooks(["/check": { $0["name"] == "worse" ? .response(["allowed": false]) : .allow }])
    try await withChain(cluster, webhooks: hooks) { chain in
      let policy = await chain.validating(aWrite(name: "bad"))
      #expect(policy?.status.message.contains("ValidatingAdmissionPolicy") == true && hooks.calls.isEmpty)
      let webhook = await chain.validating(aWrite(name: "worse"))
      #expect(webhook?.status.message.contains("admission webhook") == true)
      let quota = await chain.validating(aWrite(name: "good"))
      #expect(quota?.status.message.contains("exceeded quota") == true)
    }
  }
}
