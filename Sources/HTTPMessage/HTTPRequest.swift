/// One request as it came from the wire, its body collected. Nothing in it is trusted yet.
package struct HTTPRequest: Sendable {
  /// Upper case, as sent.
  package var method: String
  /// Percent-encoded, without the query, beginning with "/".
  package var path: String
  /// Percent-encoded, without the "?"; empty when there was none.
  package var query: String
  package var headers: HTTPHeaders
  package var body: [UInt8]
  package var peer: HTTPPeer

  package init(
    method: String, path: String, query: String = "", headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [], peer: HTTPPeer = HTTPPeer()
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.peer = peer
  }
}

/// Who is at the other end of the connection, as far as the transport can tell.
package struct HTTPPeer: Sendable, Hashable {
  /// Address and port, for logs; empty when unknown.
  package var address: String
  /// The client certificate, when one was presented and verified against at least one of our CAs.
  package var certificate: ClientCertificate?
  /// A client certificate was presented that none of our CAs vouches for: of another CA, expired, or not for client authentication.
  package var hasUnknownCertificate: Bool

  package init(address: String = "", certificate: ClientCertificate? = nil, hasUnknownCertificate: Bool = false) {
    self.address = address
    self.certificate = certificate
    self.hasUnknownCertificate = hasUnknownCertificate
  }
}

/// A verified client certificate: its subject and which of the two CA bundles vouches for it.
package struct ClientCertificate: Sendable, Hashable {
  /// The CA bundle that the chain verified against (for client authentication). Both may hold.
  package struct Authorities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// --client-ca-file: CN is the user, each O a group.
    package static let client = Authorities(rawValue: 1)
    /// --requestheader-client-ca-file: the front proxy, whose X-Remote-* headers count.
    package static let requestHeader = Authorities(rawValue: 2)
  }

  package var authorities: Authorities
  package var commonName: String
  package var organizations: [String]
  /// SHA-256 over the DER form, lower-case hex.
  package var fingerprint: String
  /// When it expires, in seconds since 1970; nil when unknown.
  package var notAfter: Int64?
  /// What goes with the requestheader CA that vouches for it: a CA's certificate is never judged by the rules of another. Nil when that does
  /// not vouch for it, or has none of its own.
  package var requestHeaderRules: RequestHeaderRules?

  package init(
    authorities: Authorities, commonName: String, organizations: [String], fingerprint: String, notAfter: Int64? = nil,
    requestHeaderRules: RequestHeaderRules? = nil
  ) {
    self.authorities = authorities
    self.commonName = commonName
    self.organizations = organizations
    self.fingerprint = fingerprint
    self.notAfter = notAfter
    self.requestHeaderRules = requestHeaderRules
  }
}
