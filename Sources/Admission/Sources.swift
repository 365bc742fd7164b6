import JSON
import KubeClient
import KubeWire
import Logging
import Translation

/// Where in the cluster the configuration of admission lies. Older versions are read where the newer one is not served; a cluster
/// may have no policies at all, while webhook configurations, namespaces and quotas are in every one.
struct Sources {
  let api: any KubeAPI
  let clock: any TimeSource
  let logger: Logger

  private static let group = "/apis/admissionregistration.k8s.io"

  /// - Parameter kind: mutating or validating.
  func webhooks(_ kind: String) -> Collection<[Webhook]> {
    let name = "\(kind)webhookconfigurations"
    return Collection(name, paths: ["\(Self.group)/v1/\(name)"], api: api, clock: clock, logger: logger) { [logger] object, _ in
      let webhooks = Webhook.list(object)
      for webhook in webhooks { Self.report(webhook.conditions.compileErrors, "\(kind) webhook \(webhook.name)", logger) }
      return webhooks
    }
  }

  func validatingPolicies() -> Collection<ValidatingPolicy> {
    policies("validating", versions: ["v1", "v1beta1"]) { [logger] object, before in
      if let before, before.head.isCurrent(object) { return before }
      let policy = ValidatingPolicy(object)
      Self.report(policy.compileErrors, "ValidatingAdmissionPolicy \(policy.head.name)", logger)
      return policy
    }
  }

  func mutatingPolicies() -> Collection<MutatingPolicy> {
    policies("mutating", versions: ["v1", "v1beta1", "v1alpha1"]) { [logger] object, before in
      if let before, before.head.isCurrent(object) { return before }
      let policy = MutatingPolicy(object)
      Self.report(policy.compileErrors, "MutatingAdmissionPolicy \(policy.head.name)", logger)
      return policy
    }
  }

  func bindings(_ kind: String) -> Collection<PolicyBinding> {
    let name = "\(kind)admissionpolicybindings"
    let versions = kind == "mutating" ? ["v1", "v1beta1", "v1alpha1"] : ["v1", "v1beta1"]
    return Collection(
      name, paths: versions.map { "\(Self.group)/\($0)/\(name)" }, mayLack: true, api: api, clock: clock, logger: logger
    ) { object, _ in PolicyBinding(object) }
  }

  /// - Parameter resource: the only entry of `spec.hard` that counts here.
  func quotas(_ resource: String) -> Collection<ObjectQuota> {
    Collection("resourcequotas", paths: ["/api/v1/resourcequotas"], api: api, clock: clock, logger: logger) { object, _ in
      ObjectQuota(object, resource: resource)
    }
  }

  private func policies<Item: Sendable>(
    _ kind: String, versions: [String], make: @escaping @Sendable (JSONValue, Item?) -> Item?
  ) -> Collection<Item> {
    let name = "\(kind)admissionpolicies"
    return Collection(
      name, paths: versions.map { "\(Self.group)/\($0)/\(name)" }, mayLack: true, api: api, clock: clock, logger: logger, make: make)
  }

  /// Once per version: an expression that cannot be compiled makes its policy fail, as in kube-apiserver, and somebody should know.
  private static func report(_ errors: [String], _ what: String, _ logger: Logger) {
    for error in errors { logger.warning("an admission expression cannot be evaluated", metadata: ["in": "\(what)", "error": "\(error)"]) }
  }
}
