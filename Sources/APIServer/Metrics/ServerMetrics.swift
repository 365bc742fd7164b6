internal import KubeWire
internal import Synchronization

/// Everything that `/metrics` shows. Made before the rest, so that the parts can count; what is only read joins with ``add(_:)``.
package final class ServerMetrics: Sendable {
  /// TokenReviews that were asked for; the label is the HTTP status code, or `<error>`.
  package let delegatedAuthentication = CallMetrics(
    "apiserver_delegated_authn_request", labels: ["code"], durationHasCode: true, buckets: delegationBuckets, of: "TokenReview")
  /// SubjectAccessReviews, as ``delegatedAuthentication``.
  package let delegatedAuthorization = CallMetrics(
    "apiserver_delegated_authz_request", labels: ["code"], durationHasCode: true, buckets: delegationBuckets, of: "SubjectAccessReview")
  /// Labels: the backend, then the HTTP status code or why there was none.
  package let backends = CallMetrics(
    "workflow_apiserver_backend_requests", duration: "workflow_apiserver_backend_request_duration_seconds", labels: ["backend", "code"],
    durationHasCode: false, buckets: backendBuckets, of: "the engine")
  /// Seconds until the client certificate of a request expires.
  package let clientCertificateExpiration = Histogram(
    .seconds([
      0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000,
    ]))

  private static let delegationBuckets = [0.25, 0.5, 0.7, 1, 1.5, 3, 5, 10]
  private static let backendBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  let attempts = FixedCounters(
    "authentication_attempts", label: "result", values: ["success", "failure", "error"], "Requests by how their authentication ended.")
  let decisions = FixedCounters(
    "authorization_attempts_total", label: "result", values: ["allowed", "denied", "error"], "Requests by how their authorization ended.")
  let users = FixedCounters(
    "authenticated_user_requests", label: "username", values: UserCategory.allCases.map(\.rawValue),
    "Authenticated requests by user, those who are no known component together.")
  let auditEvents = FixedCounters("apiserver_audit_event_total", "Audit events that were made.")
  let auditLevels = FixedCounters(
    "apiserver_audit_level_total", label: "level", values: AuditLevel.allCases.map(\.rawValue), "Requests by the level of their audit.")
  let auditErrors = FixedCounters(
    "apiserver_audit_error_total", label: "plugin", values: ["log"], "Audit events that could not be written.")

  private let sources: Mutex<[any MetricSource]>

  package init() {
    sources = Mutex([
      delegatedAuthentication, delegatedAuthorization, attempts, decisions, users, auditEvents, auditLevels, auditErrors, backends,
      CertificateSource(histogram: clientCertificateExpiration), ProcessMetrics.source,
    ])
  }

  /// Shows further metrics from now on. A source whose first metric is there already replaces that source.
  package func add(_ source: any MetricSource) {
    sources.withLock { sources in
      sources.removeAll { $0.descriptions.first?.name == source.descriptions.first?.name }
      sources.append(source)
    }
  }

  /// Shows how many TLS handshakes failed, which the server under this one counts.
  package func addHandshakeErrors(_ read: @escaping @Sendable () -> Int) {
    let description = MetricDescription("apiserver_tls_handshake_errors_total", .counter, "TLS handshakes that failed or took too long.")
    add(CollectedMetrics(description) { Double(read()) })
  }

  /// Every family that there is, by name.
  package var descriptions: [MetricDescription] { sources.withLock { $0 }.flatMap(\.descriptions).sorted { $0.name < $1.name } }

  /// The whole text.
  package var text: [UInt8] {
    var text = MetricsText()
    for source in sources.withLock({ $0 }) { source.write(to: &text) }
    return text.bytes
  }

  /// Authenticated somebody, for ``users``.
  func countUser(_ name: String) { users.add(at: UserCategory.of(name).index) }

  private struct CertificateSource: MetricSource {
    let histogram: Histogram
    let descriptions = [
      MetricDescription(
        "apiserver_client_certificate_expiration_seconds", .histogram,
        "Time left of the client certificates that requests came with, in seconds.")
    ]

    func write(to text: inout MetricsText) {
      text.family(descriptions[0])
      text.histogram("", histogram)
    }
  }
}

/// As upstream's compressUsername: users are not told apart in metrics.
enum UserCategory: String, CaseIterable {
  case admin, client
  case kubeProxy = "kube_proxy"
  case kubelet
  case kubeSystem = "system:serviceaccount:kube-system:default"
  case email = "email_id"
  case other

  static func of(_ name: String) -> UserCategory {
    switch name {
    case "admin": .admin
    case "client": .client
    case "kube_proxy": .kubeProxy
    case "kubelet": .kubelet
    case kubeSystem.rawValue: .kubeSystem
    default: name.utf8.contains(UInt8(ascii: "@")) ? .email : .other
    }
  }

  var index: Int { Self.allCases.firstIndex(of: self)! }
}
