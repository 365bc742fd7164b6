import APIServer
import Certificates
import JSON
package import KubeClient
package import KubeWire
package import Logging
import OrderedCollections
package import Translation

/// Asks the cluster whom a bearer token stands for (kubernetes-wire A2, A3).
package final class TokenReviewer: TokenAuthenticator {
  package struct Settings: Sendable {
    /// What the token must be meant for; empty leaves that to the cluster, whose own audience then counts.
    package var audiences: [String]
    /// How long an answer holds, good or bad; 10 s unless told.
    package var lifetime: Duration
    /// Tokens that are remembered at one time.
    package var capacity: Int

    package init(audiences: [String] = [], lifetime: Duration = .seconds(10), capacity: Int = 8_192) {
      self.audiences = audiences
      self.lifetime = lifetime
      self.capacity = capacity
    }
  }

  private let api: any KubeAPI
  private let settings: Settings
  private let surroundings: Surroundings
  private let logger: Logger
  private let cache: ReviewCache<UserInfo?>
  /// Tokens are remembered by a digest that is worth nothing outside this process.
  private let key = SecureRandom.bytes(32)

  package init(_ api: any KubeAPI, settings: Settings = Settings(), surroundings: Surroundings = Surroundings(), logger: Logger) {
    self.api = api
    self.settings = settings
    self.surroundings = surroundings
    self.logger = logger
    cache = ReviewCache(capacity: settings.capacity, now: surroundings.now)
  }

  /// - Throws: 503 when the cluster cannot be asked; that is remembered for nobody.
  package func user(ofToken token: String) async throws(StatusError) -> UserInfo? {
    guard !token.isEmpty else { return nil }
    let digest = Digest.hmacSHA256(key: key, message: Array(token.utf8))
    return try await cache.value(for: digest) { [self] in
      do throws(KubeError) {
        let (user, isCertain) = try await review(token)
        return .success(.init(value: user, holds: isCertain ? settings.lifetime : min(settings.lifetime, Self.errorLifetime)))
      } catch {
        logger.error("a token could not be reviewed", metadata: ["problem": "\(error)"])
        return .failure(
          .serviceUnavailable("the cluster cannot be asked whose token this is: \(error.advice(review: "TokenReview"))", retryAfter: 1))
      }
    }
  }

  /// For a no that comes with an error: the token may be good, and only what the cluster asked about it away for a moment. Long enough that
  /// repeating a bad token is no way to keep the cluster busy.
  private static let errorLifetime = Duration.seconds(1)

  /// - Returns: nil for a token that stands for nobody, and whether the cluster had no error when it said so.
  private func review(_ token: String) async throws(KubeError) -> (user: UserInfo?, isCertain: Bool) {
    var spec: JSONObject = ["token": .string(token)]
    if !settings.audiences.isEmpty { spec["audiences"] = .array(settings.audiences.map { .string($0) }) }
    let body = JSONValue.object([
      "kind": .string("TokenReview"), "apiVersion": .string("authentication.k8s.io/v1"), "spec": .object(spec),
    ])
    let answer = try await surroundings.send(
      KubeRequest("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body: body), .token, to: api)
    guard let status = answer.body["status"], status.object != nil else { throw .malformed("the TokenReview has no status") }
    guard status["authenticated"]?.bool == true, let user = status["user"], let name = user["username"]?.string, !name.isEmpty else {
      return (nil, (status["error"]?.string ?? "").isEmpty)
    }
    if !settings.audiences.isEmpty {
      let audiences = (status["audiences"]?.array ?? []).compactMap(\.string)
      guard audiences.contains(where: settings.audiences.contains) else { return (nil, true) }
    }
    var info = UserInfo(name: name, uid: user["uid"]?.string ?? "")
    info.groups = (user["groups"]?.array ?? []).compactMap(\.string)
    for (key, values) in user["extra"]?.object ?? [:] { info.extra[key] = (values.array ?? []).compactMap(\.string) }
    return (info, true)
  }
}
