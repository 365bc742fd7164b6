import JSON
import KubeWire
import Translation

/// One webhook of a Mutating- or ValidatingWebhookConfiguration, read and compiled once.
struct Webhook: Sendable {
  let configuration: String
  let name: String
  /// Configuration, name, and which of those with this name it is: what reinvocation remembers.
  let uid: String
  let client: WebhookClient
  let matcher: Matcher
  let conditions: MatchConditions
  let failurePolicy: FailurePolicy
  /// None, NoneOnDryRun, Some or Unknown; nil when it says nothing.
  let sideEffects: String?
  /// 10 s unless told.
  let timeout: Duration
  let reviewVersions: [String]
  /// `reinvocationPolicy: IfNeeded`
  let isReinvocable: Bool

  init(_ json: JSONValue, configuration: String, number: Int) {
    self.configuration = configuration
    name = json["name"]?.string ?? ""
    uid = "\(configuration)/\(name)/\(number)"
    client = WebhookClient(json["clientConfig"])
    matcher = Matcher(webhook: json)
    failurePolicy = FailurePolicy(json["failurePolicy"])
    conditions = MatchConditions(json["matchConditions"], failurePolicy: failurePolicy, in: ExpressionEnvironment.make())
    sideEffects = json["sideEffects"]?.string
    timeout = .seconds(min(max(json["timeoutSeconds"]?.int ?? 10, 1), 30))
    reviewVersions = json.strings("admissionReviewVersions")
    isReinvocable = json["reinvocationPolicy"]?.string == "IfNeeded"
  }

  /// The webhooks of a configuration, in its order.
  static func list(_ object: JSONValue) -> [Webhook] {
    let name = object["metadata"]?["name"]?.string ?? ""
    var seen: [String: Int] = [:]
    return (object["webhooks"]?.array ?? []).map { json in
      let number = seen[json["name"]?.string ?? "", default: 0]
      seen[json["name"]?.string ?? ""] = number + 1
      return Webhook(json, configuration: name, number: number)
    }
  }

  /// Whether the webhook is to be called for this write.
  ///
  /// - Throws: 403 for match conditions that fail where the failure policy is Fail, and what ``Matcher/matches(_:)`` throws.
  func matches(_ write: Write, authorizer: RequestAuthorizer) async throws(StatusError) -> Bool {
    guard try await matcher.matches(write) else { return false }
    guard !conditions.isEmpty else { return true }
    // Webhooks' conditions know no namespaceObject, as in kube-apiserver.
    let input = write.input(authorizer: authorizer, namespaceObject: nil)
    let matched = await authorizer.settled { conditions.match(Evaluation(input, budget: Evaluation.conditionsBudget)) }
    switch matched {
    case .success(let matches): return matches
    case .failure(let failure):
      throw .forbidden(
        resource: write.attributes.resource.rawValue, group: write.group.name, name: write.attributes.name, reason: failure.message)
    }
  }
}

/// Where a webhook is (`clientConfig`).
struct WebhookClient: Sendable {
  /// nil when the configuration names neither a URL nor a service.
  let url: String?
  /// PEM; empty for the system's CAs.
  let caBundle: [UInt8]

  /// A service is reached under its name in the cluster's DNS, which its certificate is for.
  init(_ json: JSONValue?) {
    caBundle = json?["caBundle"]?.string.flatMap { Base64Bytes.decoded($0) } ?? []
    if let service = json?["service"], service.object != nil {
      let (name, namespace) = (service["name"]?.string ?? "", service["namespace"]?.string ?? "")
      var path = service["path"]?.string ?? ""
      if !path.isEmpty, !path.hasPrefix("/") { path = "/" + path }
      url = "https://\(name).\(namespace).svc:\(service["port"]?.int ?? 443)\(path)"
    } else {
      url = json?["url"]?.string
    }
  }
}
