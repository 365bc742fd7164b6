import Admission
import JSON
import KubeClient
import KubeWire
import Logging
import Synchronization
import Testing
import Translation

let admission = FakeCluster.admission
let now = Timestamp(seconds: 1_700_000_000)

/// A clock that stands; who sleeps, sleeps until cancelled.
final class StandingClock: TimeSource {
  let now = Timestamp(seconds: 1_700_000_000)
  func sleep(until: Timestamp) async throws { try await Task.sleep(for: .seconds(3600)) }
}

/// A clock that jumps to wherever somebody wants to sleep to.
final class JumpingClock: TimeSource {
  private let time = Mutex(Timestamp(seconds: 1_700_000_000))
  var now: Timestamp { time.withLock { $0 } }
  func sleep(until moment: Timestamp) async throws {
    try await Task.sleep(for: .milliseconds(1))
    time.withLock { $0 = max($0, moment) }
  }
}

/// A write by jane in namespace `team`, with everything a verb hands over.
func aWrite(
  _ operation: AdmissionAttributes.Operation = .create, name: String = "build", namespace: String = "team", subresource: String = "",
  object: JSONValue? = nil, old: JSONValue? = nil, labels: JSONValue = [:], spec: JSONValue = ["templateRef": ["name": "nightly"]],
  dryRun: Bool = false, user: UserInfo = UserInfo(name: "jane", uid: "u1", groups: ["dev"], extra: ["scopes": ["a"]]), uid: String = "w1",
  seconds: Int = 30
) -> AdmissionAttributes {
  let made = workflow(name, namespace: namespace, labels: labels, spec: spec)
  return AdmissionAttributes(
    operation: operation, resource: .workflows, subresource: subresource, namespace: namespace, name: name,
    object: operation == .delete ? JSONValue?.none : object ?? made, oldObject: old ?? (operation == .create ? JSONValue?.none : made),
    options: ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"], dryRun: dryRun,
    context: RequestContext(user: user, now: now, deadline: now + .seconds(seconds)), uid: uid)
}

func workflow(_ name: String, namespace: String = "team", labels: JSONValue = [:], spec: JSONValue = ["templateRef": ["name": "nightly"]])
  -> JSONValue
{
  [
    "apiVersion": "workflow.example.com/v1alpha1", "kind": "Workflow",
    "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": labels], "spec": spec,
  ]
}

let everyWrite: JSONValue = [
  "operations": ["*"], "apiGroups": ["workflow.example.com"], "apiVersions": ["*"], "resources": ["workflows", "workflows/*"], "scope": "*",
]

/// A webhook as the API server stores it, with defaults; `more` overrides.
func webhook(_ name: String, path: String? = nil, _ more: JSONValue = [:]) -> JSONValue {
  let base: JSONValue = [
    "name": .string(name), "clientConfig": ["url": .string("https://hooks.test\(path ?? "/" + name.prefix { $0 != "." })")],
    "rules": [everyWrite], "failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": [:], "objectSelector": [:],
    "sideEffects": "None", "timeoutSeconds": 10, "admissionReviewVersions": ["v1"],
  ]
  return base.merging(patch: more)
}

func configuration(_ name: String, _ webhooks: JSONValue...) -> JSONValue {
  ["metadata": ["name": .string(name), "uid": "c-\(name)"], "webhooks": .array(webhooks)]
}

func policy(_ name: String, generation: Int64 = 1, _ spec: JSONValue) -> JSONValue {
  let base: JSONValue = ["failurePolicy": "Fail", "matchConstraints": ["resourceRules": [everyWrite]]]
  return [
    "metadata": ["name": .string(name), "uid": .string("p-\(name)"), "generation": .int(generation)], "spec": base.merging(patch: spec),
  ]
}

func binding(_ name: String, policy: String, _ more: JSONValue = [:]) -> JSONValue {
  let base: JSONValue = ["policyName": .string(policy), "validationActions": ["Deny"]]
  return ["metadata": ["name": .string(name)], "spec": base.merging(patch: more)]
}

/// Runs a chain until `body` ends.
func withChain(
  _ cluster: FakeCluster, webhooks: FakeWebhooks = FakeWebhooks(), clock: any TimeSource = StandingClock(),
  count: @escaping CountingObjects = { _, _ in 0 }, isolation: isolated (any Actor)? = #isolation,
  _ body: (AdmissionChain) async throws -> Void
) async throws {
  try await withUnreadyChain(cluster, webhooks: webhooks, clock: clock, count: count) { chain in
    while !chain.isReady { await Task.yield() }
    try await body(chain)
  }
}

/// As ``withChain``, from the first moment on.
func withUnreadyChain(
  _ cluster: FakeCluster, webhooks: FakeWebhooks = FakeWebhooks(), clock: any TimeSource = JumpingClock(),
  count: @escaping CountingObjects = { _, _ in 0 }, isolation: isolated (any Actor)? = #isolation,
  _ body: (AdmissionChain) async throws -> Void
) async throws {
  let chain = AdmissionChain(
    api: cluster, group: APIGroup(), webhooks: webhooks, count: count, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    clock: clock)
  let running = Task { await chain.run() }
  defer { running.cancel() }
  try await body(chain)
}

/// Waits until each of the first lists has ended, well or not.
func allListsHaveEnded(_ chain: AdmissionChain) async {
  while await chain.mutating(aWrite())?.status.message.contains("the first list has not ended") != false { await Task.yield() }
}

/// The refusal of a call; nil when there was none.
func refusal(_ body: () async throws -> Void) async -> StatusError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? StatusError
  }
}

// Functions, because several closures inside of `#expect` in one closure are taken for one another by the compiler (6.3.1).
extension AdmissionChain {
  /// The refusal; nil when there is none.
  func validating(_ attributes: AdmissionAttributes) async -> StatusError? {
    do throws(StatusError) {
      try await validate(attributes)
      return nil
    } catch {
      return error
    }
  }

  /// The refusal; nil when there is none.
  func mutating(_ attributes: AdmissionAttributes) async -> StatusError? {
    do throws(StatusError) {
      _ = try await mutate(attributes)
      return nil
    } catch {
      return error
    }
  }
}
