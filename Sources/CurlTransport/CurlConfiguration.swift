/// What is the same for all requests of one transport: trust, identity, proxy, limits. No I/O happens here.
package struct CurlConfiguration: Sendable {
  /// PEM file of the CAs to trust instead of the system's; nil for the system's.
  package var caFile: String?
  /// The same as PEM text in memory; it goes before ``caFile``.
  package var caPEM: [UInt8]?
  /// PEM files of the client certificate and its key, for engines that ask for one.
  package var clientCertificateFile: String?
  package var clientKeyFile: String?
  /// The same as PEM texts in memory (the certificate with its intermediates); they go before the files.
  package var clientCertificatePEM: [UInt8]?
  package var clientKeyPEM: [UInt8]?
  /// The name that is sent as SNI and that the server's certificate must have, where it is not the URL's host.
  package var tlsServerName: String?
  /// `host:port`, `host` or `:port` (IPv6 in brackets) to connect to, whatever the URL names; the URL's host stays the name that is asked for
  /// and verified.
  package var connectTo: String?
  /// Proxy for both schemes, such as `http://proxy:3128`; an empty text switches proxies off; nil for what the environment says.
  package var proxy: String?
  /// Host names, separated by commas, that are reached directly; `*` for all. nil for what the environment says.
  package var noProxy: String?
  /// All requests go to this socket, whatever host the URL names.
  package var unixSocketPath: String?
  /// Accepts any certificate. For tests on one's own machine only.
  package var insecureSkipVerify: Bool
  /// Never HTTP/2: each request has a connection to itself, and one that dies takes no other with it.
  package var isHTTP1Only: Bool
  /// Open connections to one host at most; 8 unless told, 0 for any number. HTTP/2 needs one.
  package var maxConnectionsPerHost: Int
  /// For name look-up, connection and TLS handshake together; 10 s unless told.
  package var connectTimeout: Duration
  /// How long a connection may be silent where the peer owes something; 30 s unless told. The kernel closes one whose bytes or keep-alives nobody
  /// acknowledged for so long. Where a middleman acknowledges and passes nothing on, a request that ran out of time, while on no connection
  /// anything came for as long as this or 4 s, has later requests use new connections; then streams on a shared connection that
  /// stay silent for so long end as well.
  package var silence: Duration
  package var userAgent: String
  /// The proxies that the environment names, read once.
  package var environment: ProxyEnvironment

  package init(
    caFile: String? = nil, caPEM: [UInt8]? = nil, clientCertificateFile: String? = nil, clientKeyFile: String? = nil,
    clientCertificatePEM: [UInt8]? = nil, clientKeyPEM: [UInt8]? = nil, tlsServerName: String? = nil, connectTo: String? = nil,
    proxy: String? = nil, noProxy: String? = nil,
    unixSocketPath: String? = nil, insecureSkipVerify: Bool = false, isHTTP1Only: Bool = false,
    maxConnectionsPerHost: Int = 8, connectTimeout: Duration = .seconds(10), silence: Duration = .seconds(30),
    userAgent: String = "workflow-apiserver", environment: ProxyEnvironment = .none
  ) {
    self.caFile = caFile
    self.caPEM = caPEM
    self.clientCertificateFile = clientCertificateFile
    self.clientKeyFile = clientKeyFile
    self.clientCertificatePEM = clientCertificatePEM
    self.clientKeyPEM = clientKeyPEM
    self.tlsServerName = tlsServerName
    self.connectTo = connectTo
    self.proxy = proxy
    self.noProxy = noProxy
    self.unixSocketPath = unixSocketPath
    self.insecureSkipVerify = insecureSkipVerify
    self.isHTTP1Only = isHTTP1Only
    self.maxConnectionsPerHost = maxConnectionsPerHost
    self.connectTimeout = connectTimeout
    self.silence = silence
    self.userAgent = userAgent
    self.environment = environment
  }

  /// Defaults with what the environment says: the proxy variables (see ``ProxyEnvironment``), and `SSL_CERT_FILE` or, if that is absent,
  /// `CURL_CA_BUNDLE` as ``caFile``.
  package init(environment: [String: String]) {
    self.init(
      caFile: environment.nonEmpty("SSL_CERT_FILE") ?? environment.nonEmpty("CURL_CA_BUNDLE"), environment: ProxyEnvironment(environment))
  }

  /// The proxy for a scheme; an empty text for none, which also keeps libcurl from reading the environment by itself, at a time of its choice.
  func proxy(forScheme scheme: String) -> String {
    if unixSocketPath != nil { return "" }
    return proxy ?? (scheme == "https" ? environment.https : environment.http) ?? environment.all ?? ""
  }

  var directHosts: String { noProxy ?? environment.direct ?? "" }
}

/// The proxy variables as libcurl and Go read them: lower case before upper case, and `HTTP_PROXY` not inside a CGI program, where a client's
/// `Proxy:` header would set it.
package struct ProxyEnvironment: Sendable, Hashable {
  package var http: String?
  package var https: String?
  package var all: String?
  package var direct: String?

  package static let none = ProxyEnvironment([:])

  package init(_ variables: [String: String]) {
    http = variables.nonEmpty("http_proxy") ?? (variables["REQUEST_METHOD"] == nil ? variables.nonEmpty("HTTP_PROXY") : nil)
    https = variables.nonEmpty("https_proxy") ?? variables.nonEmpty("HTTPS_PROXY")
    all = variables.nonEmpty("all_proxy") ?? variables.nonEmpty("ALL_PROXY")
    direct = variables.nonEmpty("no_proxy") ?? variables.nonEmpty("NO_PROXY")
  }
}

extension [String: String] {
  fileprivate func nonEmpty(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}
