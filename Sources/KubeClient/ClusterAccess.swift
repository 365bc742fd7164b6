/// Where a cluster's API is and how we prove who we are. Values only; nothing is read before a client uses them.
package struct ClusterAccess: Sendable, Hashable {
  package enum PEMSource: Sendable, Hashable {
    /// Read again when a client looks, at most 10 s later.
    case file(String)
    case data([UInt8])
  }

  package enum TokenSource: Sendable, Hashable {
    case text(String)
    /// A rotating token, such as that of a service account.
    case file(String)
  }

  /// `https://host:port`, possibly with a path; no slash at the end.
  package var server: String
  /// nil for the system's authorities.
  package var authority: PEMSource?
  package var clientCertificate: PEMSource?
  package var clientKey: PEMSource?
  package var token: TokenSource?
  /// The name that the server's certificate must have, where it is not the URL's host.
  package var tlsServerName: String?
  package var insecureSkipVerify: Bool
  /// nil for what the environment says.
  package var proxy: String?
  /// What named all this, for messages: a file or "the service account".
  package var origin: String

  package init(
    server: String, authority: PEMSource? = nil, clientCertificate: PEMSource? = nil, clientKey: PEMSource? = nil,
    token: TokenSource? = nil,
    tlsServerName: String? = nil, insecureSkipVerify: Bool = false, proxy: String? = nil, origin: String
  ) {
    self.server = server
    self.authority = authority
    self.clientCertificate = clientCertificate
    self.clientKey = clientKey
    self.token = token
    self.tlsServerName = tlsServerName
    self.insecureSkipVerify = insecureSkipVerify
    self.proxy = proxy
    self.origin = origin
  }
}

/// Why a kubeconfig or the pod's environment gives no access: what is wrong and where. Never holds a secret.
package struct ClusterAccessError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}
