package import APIServer
import Certificates
import JSON
package import KubeClient
package import KubeWire
package import Logging
import OrderedCollections
import Translation

/// Asks the cluster whether somebody may do something (kubernetes-wire A4, A8, A9). It never guesses: without an answer nobody may, and
/// that is a 500, for a 403 would tell clients that it is final.
package final class AccessReviewer: Authorizer {
  package struct Settings: Sendable {
    /// How long a yes holds; 10 s unless told.
    package var allowedLifetime: Duration
    /// How long a no holds; 10 s unless told.
    package var deniedLifetime: Duration
    /// Answers that are remembered at one time.
    package var capacity: Int
    /// A longer question is not remembered, in bytes of its JSON.
    package var maximumCachedBytes: Int

    package init(
      allowedLifetime: Duration = .seconds(10), deniedLifetime: Duration = .seconds(10), capacity: Int = 8_192,
      maximumCachedBytes: Int = 10_000
    ) {
      self.allowedLifetime = allowedLifetime
      self.deniedLifetime = deniedLifetime
      self.capacity = capacity
      self.maximumCachedBytes = maximumCachedBytes
    }
  }

  private let api: any KubeAPI
  private let settings: Settings
  private let surroundings: Surroundings
  private let logger: Logger
  private let cache: ReviewCache<AuthorizationDecision>

  package init(_ api: any KubeAPI, settings: Settings = Settings(), surroundings: Surroundings = Surroundings(), logger: Logger) {
    self.api = api
    self.settings = settings
    self.surroundings = surroundings
    self.logger = logger
    cache = ReviewCache(capacity: settings.capacity, now: surroundings.now)
  }

  package func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
    try await decide(AccessReviewSpec.json(attributes))
  }

  private func decide(_ spec: JSONValue) async throws(StatusError) -> AuthorizationDecision {
    let text = spec.encoded
    let find: @Sendable () async -> Result<ReviewCache<AuthorizationDecision>.Finding, StatusError> = { [self] in
      do throws(KubeError) {
        let decision = try await review(spec)
        return .success(.init(value: decision, holds: decision.isAllowed ? settings.allowedLifetime : settings.deniedLifetime))
      } catch {
        logger.error("access could not be reviewed", metadata: ["problem": "\(error)"])
        return .failure(
          .internalError("the cluster cannot be asked whether this is allowed: \(error.advice(review: "SubjectAccessReview"))"))
      }
    }
    guard text.count <= settings.maximumCachedBytes else { return try await find().get().value }
    return try await cache.value(for: Digest.sha256(text), find)
  }

  private func review(_ spec: JSONValue) async throws(KubeError) -> AuthorizationDecision {
    let body = JSONValue.object([
      "kind": .string("SubjectAccessReview"), "apiVersion": .string("authorization.k8s.io/v1"), "spec": spec,
    ])
    let answer = try await surroundings.send(
      KubeRequest("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body: body), .access, to: api)
    guard let status = answer.body["status"], let allowed = status["allowed"]?.bool else {
      throw .malformed("the SubjectAccessReview has no status.allowed")
    }
    if let problem = status["evaluationError"]?.string, !problem.isEmpty {
      logger.info("the cluster evaluated an access review with errors", metadata: ["problem": "\(problem)"])
    }
    // Denied goes before allowed, should anybody ever say both.
    let reason = status["reason"]?.string ?? ""
    return allowed && status["denied"]?.bool != true ? .permitted(reason: reason) : .denied(reason: reason)
  }
}
