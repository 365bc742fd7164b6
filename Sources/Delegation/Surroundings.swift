package import KubeClient
import KubeWire

/// What waits, what is random and what time it is; tests put their own in its place.
package struct Surroundings: Sendable {
  package var retries: RetryPolicy
  package var now: @Sendable () -> ContinuousClock.Instant
  /// Told of each review that was made: the HTTP status of the cluster's answer, `<error>` when there was none, and how long it took, all
  /// tries together. For metrics.
  package var onReview: @Sendable (Review, String, Duration) -> Void

  package enum Review: Sendable { case token, access }

  package init(
    retries: RetryPolicy = RetryPolicy(), now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
    onReview: @escaping @Sendable (Review, String, Duration) -> Void = { _, _, _ in }
  ) {
    self.retries = retries
    self.now = now
    self.onReview = onReview
  }

  /// Sends a review, repeated as the policy says.
  func send(_ request: KubeRequest, _ review: Review, to api: any KubeAPI) async throws(KubeError) -> KubeAnswer {
    let began = now()
    do throws(KubeError) {
      let answer = try await api.send(request, retrying: retries)
      onReview(review, String(answer.code), began.duration(to: now()))
      return answer
    } catch {
      let code = if case .status(let status) = error { String(status.code) } else { "<error>" }
      onReview(review, code, began.duration(to: now()))
      throw error
    }
  }
}
