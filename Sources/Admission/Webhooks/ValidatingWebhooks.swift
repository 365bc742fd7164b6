import JSON
import KubeWire
import Logging
import Translation

/// The ValidatingWebhookConfigurations of the cluster: all that match are asked at the same time.
struct ValidatingWebhooks: Sendable {
  let configurations: Collection<[Webhook]>
  let connection: WebhookConnection
  let logger: Logger

  /// - Throws: the refusal of the first webhook, in the order of configurations, that refuses.
  func validate(_ write: Write, authorizer: RequestAuthorizer) async throws(StatusError) {
    var matching: [Webhook] = []
    for webhook in configurations.items.joined() where try await webhook.matches(write, authorizer: authorizer) { matching.append(webhook) }
    guard !matching.isEmpty else { return }
    guard write.attributes.context.deadline > connection.clock.now else { throw WebhookConnection.requestTimedOut }
    let refusals = await withTaskGroup(of: (Int, StatusError?).self) { group in
      for (index, webhook) in matching.enumerated() {
        group.addTask { (index, await ask(webhook, index: index, about: write)) }
      }
      var refusals: [Int: StatusError] = [:]
      for await (index, refusal) in group { refusals[index] = refusal }
      return refusals
    }
    if let first = refusals.keys.min() { throw refusals[first]! }
  }

  private func ask(_ webhook: Webhook, index: Int, about write: Write) async -> StatusError? {
    do throws(WebhookFailure) {
      _ = try await connection.ask(webhook, about: write, isMutating: false)
      return nil
    } catch {
      let reason: String
      switch error {
      case .refused(let refusal): return refusal
      case .calling(let text): reason = text
      }
      let text = WebhookFailure.text(webhook.name, reason)
      let isIgnored = webhook.failurePolicy == .ignore
      logger.warning(
        "a validating webhook could not be asked",
        metadata: ["webhook": "\(webhook.name)", "failurePolicy": isIgnored ? "Ignore" : "Fail", "error": "\(text)"])
      guard isIgnored else { return .internalError(text) }
      write.note("failed-open.validating.webhook.admission.k8s.io/round_0_index_\(index)", webhook.name)
      // What failed for want of time was not ignored by anybody's policy: the request itself is over.
      return write.attributes.context.deadline > connection.clock.now ? nil : WebhookConnection.requestTimedOut
    }
  }
}
