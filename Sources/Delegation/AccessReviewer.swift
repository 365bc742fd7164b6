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
    /// The answer to a longer question is not remembered, in bytes of its JSON.
    package var maximumCachedBytes: Int
    /// Questions that wait for the cluster at one time, those of anonymous users at most half of them; above it 429.
    package var maximumRunning: Int

    package init(
      allowedLifetime: Duration = .seconds(10), deniedLifetime: Duration = .seconds(10), capacity: Int = 8_192,
      maximumCachedBytes: Int = 10_000, maximumRunning: Int = 1_000
    ) {
      self.allowedLifetime = allowedLifetime
      self.deniedLifetime = deniedLifetime
      self.capacity = capacity
      self.maximumCachedBytes = maximumCachedBytes
      self.maximumRunning = maximumRunning
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
    cache = ReviewCache(capacity: settings.capacity, maximumRunning: settings.maximumRunning, now: surroundings.now)
  }

  package func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
    let spec = AccessReviewSpec.json(attributes)
    let text = spec.encoded
    let isCached = text.count <= settings.maximumCachedBytes
    let isStranger = attributes.user.groups.contains("system:unauthenticated")
    return try await cache.value(for: Digest.sha256(text), ofStranger: isStranger) { [self] in
      do throws(KubeError) {
        let decision = try await review(spec)
        let lifetime = decision.isAllowed ? settings.allowedLifetime : settings.deniedLifetime
        return .success(.init(value: decision, holds: isCached ? lifetime : .zero))
      } catch {
        logger.error("access could not be reviewed", metadata: ["problem": "\(error)"])
        return .failure(
          .internalError("the cluster cannot be asked whether this is allowed: \(error.advice(review: "SubjectAccessReview"))"))
      }
    }
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
