import ArgumentParser
import HTTPMessage

/// Who asks.
struct AuthenticationOptions: ParsableArguments {
  @Option(help: "CA bundle, PEM: a client certificate it signed names a user (CN) and groups (O). Instead of the cluster's.")
  var clientCaFile: String?

  @Option(help: "Kubeconfig for TokenReviews and the cluster's CAs; --kubeconfig unless told.")
  var authenticationKubeconfig: String?

  @Option(help: "Do not look up the cluster's CAs in kube-system/extension-apiserver-authentication.")
  var authenticationSkipLookup: Bool = false

  @Option(help: "Start although that look-up fails; it is tried again until it works.")
  var authenticationTolerateLookupFailure: Bool = false

  @Option(help: "How long the answer to a TokenReview holds; 0 asks each time.")
  var authenticationTokenWebhookCacheTtl = DurationFlag(seconds: 10)

  @Option(help: "Whether a request without any credential is system:anonymous (true) or 401.")
  var anonymousAuth: Bool = true

  @Option(help: "CA bundle, PEM, of the front proxy's client certificate. Instead of the cluster's, and so are the four flags below.")
  var requestheaderClientCaFile: String?

  @Option(help: "Common names that the front proxy's certificate may have, separated by commas; none for any of its CA.")
  var requestheaderAllowedNames: [String] = []

  @Option(help: "Headers that name the user, separated by commas; the first with a value counts (x-remote-user).")
  var requestheaderUsernameHeaders: [String] = []

  @Option(help: "Headers that hold the user's uid, separated by commas; the first with a value counts (none).")
  var requestheaderUidHeaders: [String] = []

  @Option(help: "Headers that name groups, separated by commas; all of them count (x-remote-group).")
  var requestheaderGroupHeaders: [String] = []

  @Option(help: "Beginnings of headers that hold more about the user, separated by commas (x-remote-extra-).")
  var requestheaderExtraHeadersPrefix: [String] = []

  func validate() throws {
    let names = [
      ("--requestheader-allowed-names", requestheaderAllowedNames), ("--requestheader-username-headers", requestheaderUsernameHeaders),
      ("--requestheader-uid-headers", requestheaderUidHeaders), ("--requestheader-group-headers", requestheaderGroupHeaders),
      ("--requestheader-extra-headers-prefix", requestheaderExtraHeadersPrefix),
    ]
    if requestheaderClientCaFile == nil, let (name, _) = names.first(where: { !$0.1.separated.isEmpty }) {
      throw ValidationError("\(name) needs --requestheader-client-ca-file; without it the cluster's ConfigMap says all of that")
    }
    // Else whoever can reach the port and has any certificate of the cluster's would name himself.
    if requestheaderClientCaFile != nil, requestheaderClientCaFile == clientCaFile, requestheaderAllowedNames.separated.isEmpty {
      throw ValidationError(
        "--requestheader-client-ca-file is the same file as --client-ca-file: every user could name any other; give --requestheader-allowed-names"
      )
    }
  }

  /// What the flags say of the front proxy; counts where --requestheader-client-ca-file is given.
  var requestHeaderRules: RequestHeaderRules {
    var rules = RequestHeaderRules(allowedNames: requestheaderAllowedNames.separated)
    func use(_ values: [String], _ member: WritableKeyPath<RequestHeaderRules, [String]>) {
      if !values.separated.isEmpty { rules[keyPath: member] = values.separated }
    }
    use(requestheaderUsernameHeaders, \.user)
    use(requestheaderUidHeaders, \.uid)
    use(requestheaderGroupHeaders, \.group)
    use(requestheaderExtraHeadersPrefix, \.extraPrefix)
    return rules
  }
}
