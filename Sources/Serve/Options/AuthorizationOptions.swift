import ArgumentParser

/// Who may do what.
struct AuthorizationOptions: ParsableArguments {
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case webhook = "Webhook"
    case alwaysAllow = "AlwaysAllow"
  }

  @Option(help: "Webhook asks the cluster by SubjectAccessReview; AlwaysAllow lets everybody do everything, on loopback only.")
  var authorizationMode: Mode = .webhook

  @Option(help: "Kubeconfig for SubjectAccessReviews; --kubeconfig unless told.")
  var authorizationKubeconfig: String?

  @Option(help: "How long a yes of the cluster holds; 0 asks each time.")
  var authorizationWebhookCacheAuthorizedTtl = DurationFlag(seconds: 10)

  @Option(help: "How long a no of the cluster holds; 0 asks each time.")
  var authorizationWebhookCacheUnauthorizedTtl = DurationFlag(seconds: 10)

  @Option(
    help: "Paths that need no permission, separated by commas; one that ends in * stands for all that begin so.")
  var authorizationAlwaysAllowPaths: [String] = ["/healthz", "/livez", "/readyz"]

  func validate() throws {
    if let wrong = authorizationAlwaysAllowPaths.separated.first(where: { !$0.hasPrefix("/") || $0.dropLast().contains("*") }) {
      throw ValidationError("--authorization-always-allow-paths: \(wrong) is no path; it begins with / and may end in *")
    }
  }
}
