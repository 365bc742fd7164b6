import JSON
import KubeWire
import Translation

/// Asks one webhook about one write, once.
struct WebhookConnection: Sendable {
  let caller: any WebhookCalling
  let clock: any TimeSource
  /// For the uids of reviews: 16 bytes that nobody guesses.
  let random: @Sendable (Int) -> [UInt8]

  /// Notes annotations and warnings, also those of a refusal.
  ///
  /// - Throws: ``WebhookFailure``.
  func ask(_ webhook: Webhook, about write: Write, isMutating: Bool) async throws(WebhookFailure) -> AdmissionResponse {
    if write.attributes.dryRun {
      guard let sideEffects = webhook.sideEffects else { throw .calling("Webhook SideEffects is nil") }
      guard sideEffects == "None" || sideEffects == "NoneOnDryRun" else {
        throw .refused(.badRequest("admission webhook \(GoText.quoted(webhook.name)) does not support dry run"))
      }
    }
    let review = try AdmissionReview(for: webhook, uid: EngineNames.randomUID(random(16)))
    guard let base = webhook.client.url else {
      throw .calling("could not get REST client: webhook configuration must have either service or URL")
    }
    // The request's own deadline counts as well; the webhook is told how long we wait, in whole seconds.
    let timeout = min(webhook.timeout, write.attributes.context.deadline - clock.now)
    guard timeout > .zero else { throw .refused(Self.requestTimedOut) }
    let seconds = timeout.components.seconds + (timeout.components.attoseconds > 0 ? 1 : 0)
    let url = "\(base)\(base.contains("?") ? "&" : "?")timeout=\(seconds)s"
    let answer: WebhookAnswer
    do throws(WebhookCallError) {
      answer = try await caller.call(
        WebhookCall(url: url, caBundle: webhook.client.caBundle, body: review.body(write), timeout: timeout))
    } catch {
      throw .calling("failed to call webhook: Post \(GoText.quoted(url)): \(error.message)")
    }
    let response = try review.response(answer, isMutating: isMutating)
    for (key, value) in response.auditAnnotations { write.note("\(webhook.name)/\(key)", value) }
    for warning in response.warnings { write.warn(warning) }
    guard response.isAllowed else { throw .refused(response.refusal(by: webhook.name)) }
    return response
  }

  static let requestTimedOut = StatusError.timeout("request did not complete within requested timeout")
}
