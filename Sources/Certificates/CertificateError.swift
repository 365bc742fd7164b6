import COpenSSL

/// What is wrong with a certificate or a key, in words for a person. Never contains key material.
package struct CertificateError: Error, Sendable, Hashable, CustomStringConvertible {
  package let message: String
  package init(_ message: String) { self.message = message }
  package var description: String { message }

  /// Takes OpenSSL's newest error of this thread along and empties its queue.
  static func openSSL(_ what: String) -> CertificateError {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0, let reason = ERR_reason_error_string(code) else { return CertificateError(what) }
    return CertificateError("\(what): \(String(cString: reason))")
  }
}
