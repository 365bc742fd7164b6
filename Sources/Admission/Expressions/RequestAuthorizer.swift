package import CEL
import JSON
package import KubeClient
import OrderedCollections
import Synchronization
package import Translation

/// Asks the cluster what somebody may do.
package typealias AskingCluster =
  @Sendable (_ user: UserInfo, _ question: CELAuthorizationRequest) async throws(KubeError) ->
  CELAuthorizationDecision

/// The `authorizer` of expressions.
///
/// Expressions do not wait. A question without answer is written down and the expression goes on with an error; ``settled(_:)`` asks the cluster and
/// evaluates again, until every question that is asked has its answer. Expressions have no effects, so nobody sees the difference.
final class RequestAuthorizer: CELAuthorizer {
  private let user: UserInfo
  private let ask: AskingCluster
  private let state = Mutex(State())

  private struct State {
    var answers: [CELAuthorizationRequest: Result<CELAuthorizationDecision, CELError>] = [:]
    var open: Set<CELAuthorizationRequest> = []
  }

  /// Lives as long as one write: each question is asked once for all policies.
  init(user: UserInfo, ask: @escaping AskingCluster) {
    self.user = user
    self.ask = ask
  }

  func decide(_ request: CELAuthorizationRequest) throws(CELError) -> CELAuthorizationDecision {
    let answer = state.withLock { state in
      if state.answers[request] == nil { state.open.insert(request) }
      return state.answers[request]
    }
    guard let answer else { throw CELError("the question is on its way to the cluster") }
    return try answer.get()
  }

  /// Evaluates until no question is open.
  func settled<Value>(_ evaluate: () -> Value) async -> Value {
    // A check costs a third of what an expression may cost, so there are few; the bound is for what nobody thought of.
    for _ in 0..<64 {
      let value = evaluate()
      let open = state.withLock { state in
        defer { state.open = [] }
        return state.open
      }
      guard !open.isEmpty else { return value }
      await answer(open)
    }
    return evaluate()
  }

  private func answer(_ questions: Set<CELAuthorizationRequest>) async {
    await withTaskGroup(of: (CELAuthorizationRequest, Result<CELAuthorizationDecision, CELError>).self) { group in
      for question in questions {
        group.addTask { [user, ask] in
          let who = question.serviceAccount.map { Self.serviceAccount($0) } ?? user
          do throws(KubeError) { return (question, .success(try await ask(who, question))) } catch {
            return (question, .failure(CELError("the cluster cannot be asked: \(error.advice(review: "SubjectAccessReview"))")))
          }
        }
      }
      for await (question, answer) in group { state.withLock { $0.answers[question] = answer } }
    }
  }

  private static func serviceAccount(_ account: CELAuthorizationRequest.ServiceAccount) -> UserInfo {
    UserInfo(
      name: "system:serviceaccount:\(account.namespace):\(account.name)",
      groups: ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)", "system:authenticated"])
  }
}

/// ``AskingCluster`` by a SubjectAccessReview.
package enum SubjectAccessReviews {
  package static func asking(_ api: any KubeAPI) -> AskingCluster {
    { user, question throws(KubeError) in
      let body: JSONValue = [
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec(user, question),
      ]
      let request = KubeRequest("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body: body)
      let status = try await api.send(request).body["status"]
      guard let allowed = status?["allowed"]?.bool else { throw .malformed("a SubjectAccessReview came back without status.allowed") }
      return CELAuthorizationDecision(isAllowed: allowed, reason: status?["reason"]?.string ?? "")
    }
  }

  private static func spec(_ user: UserInfo, _ question: CELAuthorizationRequest) -> JSONValue {
    var spec: JSONObject = ["user": .string(user.name)]
    if !user.uid.isEmpty { spec["uid"] = .string(user.uid) }
    if !user.groups.isEmpty { spec["groups"] = .array(user.groups.map { .string($0) }) }
    if !user.extra.isEmpty {
      spec["extra"] = .object(JSONObject(uniqueKeysWithValues: user.extra.map { ($0.key, .array($0.value.map { .string($0) })) }))
    }
    if let path = question.path {
      spec["nonResourceAttributes"] = ["path": .string(path), "verb": .string(question.verb)]
      return .object(spec)
    }
    var resource: JSONObject = ["verb": .string(question.verb), "group": .string(question.group), "version": "*"]
    resource["resource"] = .string(question.resource)
    for (name, value) in [("subresource", question.subresource), ("namespace", question.namespace), ("name", question.name)]
    where !value.isEmpty {
      resource[name] = .string(value)
    }
    if !question.fieldSelector.isEmpty { resource["fieldSelector"] = ["rawSelector": .string(question.fieldSelector)] }
    if !question.labelSelector.isEmpty { resource["labelSelector"] = ["rawSelector": .string(question.labelSelector)] }
    spec["resourceAttributes"] = .object(resource)
    return .object(spec)
  }
}
