package import JSON
package import KubeClient
package import KubeWire
package import Logging
package import Translation

/// The plugins that kube-apiserver would run for a kind of its own, in its order: NamespaceLifecycle, MutatingAdmissionPolicy, mutating webhooks,
/// ValidatingAdmissionPolicy, validating webhooks, ResourceQuota. docs/admission.md says what each of them does.
package final class AdmissionChain: Admitting {
  /// Also for verbs that ask of namespaces themselves.
  package let namespaces: ClusterNamespaces
  private let group: APIGroup
  private let clock: any TimeSource
  private let logger: Logger
  private let ask: AskingCluster
  private let mutatingPolicies: MutatingPolicies
  private let mutatingWebhooks: MutatingWebhooks
  private let validatingPolicies: ValidatingPolicies
  private let validatingWebhooks: ValidatingWebhooks
  private let quotas: ResourceQuotas

  /// Nothing is read before ``run()``.
  ///
  /// - Parameters:
  ///   - group: also tells the forms that mutated objects must have.
  ///   - count: how many Workflows a namespace has.
  ///   - ask: for `authorizer` in expressions; a SubjectAccessReview for each question unless told.
  ///   - random: bytes that nobody guesses, for the uids of reviews.
  package init(
    api: any KubeAPI, group: APIGroup, webhooks: any WebhookCalling, count: @escaping CountingObjects, ask: AskingCluster? = nil,
    logger: Logger, clock: any TimeSource = SystemClock(), random: @escaping @Sendable (Int) -> [UInt8] = AdmissionChain.systemRandom
  ) {
    self.group = group
    self.clock = clock
    self.logger = logger
    self.ask = Self.logged(ask ?? SubjectAccessReviews.asking(api), logger)
    namespaces = ClusterNamespaces(api: api, clock: clock, logger: logger)
    let sources = Sources(api: api, clock: clock, logger: logger)
    let connection = WebhookConnection(caller: webhooks, clock: clock, random: random)
    let params = ParamSource(api: api, clock: clock, logger: logger)
    mutatingPolicies = MutatingPolicies(policies: sources.mutatingPolicies(), bindings: sources.bindings("mutating"), params: params)
    mutatingWebhooks = MutatingWebhooks(configurations: sources.webhooks("mutating"), connection: connection, logger: logger)
    validatingPolicies = ValidatingPolicies(
      policies: sources.validatingPolicies(), bindings: sources.bindings("validating"), params: params)
    validatingWebhooks = ValidatingWebhooks(configurations: sources.webhooks("validating"), connection: connection, logger: logger)
    let resource = "count/workflows.\(group.name)"
    quotas = ResourceQuotas(resource: resource, collection: sources.quotas(resource), count: count, clock: clock)
  }

  /// What an expression says of a failure is for users: the log has all of it.
  private static func logged(_ ask: @escaping AskingCluster, _ logger: Logger) -> AskingCluster {
    { user, question throws(KubeError) in
      do throws(KubeError) { return try await ask(user, question) } catch {
        logger.warning("an authorizer of an expression could not be asked", metadata: ["problem": "\(error)"])
        throw error
      }
    }
  }

  package static let systemRandom: @Sendable (Int) -> [UInt8] = { count in
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  // MARK: The copies of the cluster's configuration

  /// Keeps the copies current until the task is cancelled. Writes are refused until all of them are there.
  package func run() async {
    await withDiscardingTaskGroup { tasks in
      tasks.addTask { await self.namespaces.run() }
      tasks.addTask { await self.mutatingPolicies.policies.run() }
      tasks.addTask { await self.mutatingPolicies.bindings.run() }
      tasks.addTask { await self.mutatingWebhooks.configurations.run() }
      tasks.addTask { await self.validatingPolicies.policies.run() }
      tasks.addTask { await self.validatingPolicies.bindings.run() }
      tasks.addTask { await self.validatingWebhooks.configurations.run() }
      tasks.addTask { await self.quotas.collection.run() }
      tasks.addTask { await self.announce() }
    }
  }

  /// Whether writes can be judged.
  package var isReady: Bool { problems.isEmpty }

  private var problems: [String] { unread.map { "\($0.name): \($0.problem)" } }

  /// The collections of which there is no list yet.
  private var unread: [(name: String, problem: String, isDenied: Bool)] {
    func one<Item>(_ collection: Collection<Item>) -> (String, String, Bool)? {
      collection.problem.map { (collection.name, $0, collection.isDenied) }
    }
    return [
      one(namespaces.collection), one(mutatingPolicies.policies), one(mutatingPolicies.bindings), one(mutatingWebhooks.configurations),
      one(validatingPolicies.policies), one(validatingPolicies.bindings), one(validatingWebhooks.configurations), one(quotas.collection),
    ].compactMap { $0 }
  }

  /// Once, when everything was read: what is in force.
  private func announce() async {
    while !isReady { do { try await clock.sleep(for: .milliseconds(200)) } catch { return } }
    // What kube-apiserver reads from files of its own (ManifestBasedAdmissionControlConfig) nobody outside of it can see.
    logger.notice(
      "admission is ready: webhooks and policies of the cluster's API are in force; those in files of kube-apiserver are not",
      metadata: [
        "mutatingWebhooks": "\(mutatingWebhooks.configurations.items.joined().count)",
        "validatingWebhooks": "\(validatingWebhooks.configurations.items.joined().count)",
        "mutatingPolicies": "\(mutatingPolicies.policies.items.count)", "validatingPolicies": "\(validatingPolicies.policies.items.count)",
        "quotas": "\(quotas.collection.items.count)",
      ])
  }

  /// Waits a little for the first lists. - Throws: 503; nothing was written, so it may be repeated.
  private func waitUntilReady(_ write: Write) async throws(StatusError) {
    let limit = min(clock.now + Self.patience, write.attributes.context.deadline)
    while !isReady {
      let denied = unread.filter(\.isDenied).map(\.name)
      guard denied.isEmpty else {
        // Waiting, and asking again, is of no use: somebody has to grant it.
        let reason =
          "not yet ready to handle request: the gateway's account may not list \(denied.joined(separator: ", ")); it needs the ClusterRole "
          + "workflow-apiserver of deploy/"
        throw .serviceUnavailable(write.forbidden(reason).status.message, retryAfter: nil)
      }
      guard clock.now < limit, !Task.isCancelled else {
        let reason = "not yet ready to handle request: \(problems.joined(separator: "; "))"
        throw .serviceUnavailable(write.forbidden(reason).status.message, retryAfter: 1)
      }
      try? await clock.sleep(for: .milliseconds(100))
    }
  }

  /// As kube-apiserver waits.
  private static let patience: Duration = .seconds(10)

  // MARK: Admitting

  package func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue? {
    var write = Write(attributes: attributes, group: group, namespaces: namespaces)
    try await waitUntilReady(write)
    try await checkNamespace(attributes, write)
    let authorizer = RequestAuthorizer(user: attributes.context.user, ask: ask)
    var rounds = Reinvocation()
    try await mutatingPolicies.mutate(&write, rounds: &rounds, authorizer: authorizer)
    try await mutatingWebhooks.mutate(&write, rounds: &rounds, authorizer: authorizer)
    if rounds.isNeeded {
      rounds.beginSecond()
      try await mutatingPolicies.mutate(&write, rounds: &rounds, authorizer: authorizer)
      try await mutatingWebhooks.mutate(&write, rounds: &rounds, authorizer: authorizer)
    }
    return write.attributes.object
  }

  package func validate(_ attributes: AdmissionAttributes) async throws(StatusError) {
    let write = Write(attributes: attributes, group: group, namespaces: namespaces)
    try await waitUntilReady(write)
    let authorizer = RequestAuthorizer(user: attributes.context.user, ask: ask)
    try await validatingPolicies.validate(write, authorizer: authorizer)
    try await validatingWebhooks.validate(write, authorizer: authorizer)
    try await quotas.validate(write)
  }

  package func finish(_ attributes: AdmissionAttributes) { quotas.finish(attributes) }

  /// NamespaceLifecycle (kubernetes-wire C6): nothing new in a namespace that is not there or is going.
  private func checkNamespace(_ attributes: AdmissionAttributes, _ write: Write) async throws(StatusError) {
    guard attributes.operation == .create, !attributes.namespace.isEmpty else { return }
    switch try await namespaces.state(of: attributes.namespace) {
    case .active: return
    case .missing: throw .namespaceNotFound(attributes.namespace)
    case .terminating:
      throw .namespaceTerminating(
        resource: attributes.resource.rawValue, group: group.name, name: write.shownName, namespace: attributes.namespace)
    }
  }
}
