import COpenSSL
import Glibc

/// The certificates of one CA file: what client certificates are verified against. An X509_STORE is only read after init, which OpenSSL
/// allows from many threads.
package final class CertificateBundle: @unchecked Sendable {
  private let store: OpaquePointer
  private let certificates: [Certificate]

  /// Throws `CertificateError` when the text cannot be read or holds no certificate.
  package init(pem: [UInt8]) throws {
    certificates = try Certificate.all(pem: pem)
    guard !certificates.isEmpty else { throw CertificateError("no certificate found") }
    guard let store = X509_STORE_new() else { throw CertificateError.openSSL("no memory") }
    self.store = store
    for certificate in certificates where X509_STORE_add_cert(store, certificate.pointer) != 1 {
      throw CertificateError.openSSL("a CA certificate cannot be used")
    }
  }

  deinit { X509_STORE_free(store) }

  /// Each certificate in DER form, in file order.
  package var derCertificates: [[UInt8]] { certificates.map(\.der) }

  /// Whether the chain (DER, leaf first, then intermediates in any order) verifies for client authentication at that time (Unix seconds, now
  /// if nil). Any certificate of the bundle is an anchor, also one that is not self-signed, as in Go's crypto/x509. Revocation is not checked.
  package func verifiesClient(_ chain: [[UInt8]], at moment: Int64? = nil) -> Bool {
    guard let leaf = chain.first.flatMap(Certificate.init(der:)) else { return false }
    let intermediates = chain.dropFirst().prefix(10).compactMap(Certificate.init(der:))
    guard let context = X509_STORE_CTX_new(), let untrusted = copenssl_x509_stack_new() else { return false }
    defer {
      X509_STORE_CTX_free(context)
      copenssl_x509_free_all(untrusted)
      ERR_clear_error()
    }
    for intermediate in intermediates where X509_up_ref(intermediate.pointer) == 1 {
      _ = copenssl_x509_stack_push(untrusted, intermediate.pointer)
    }
    guard X509_STORE_CTX_init(context, store, leaf.pointer, untrusted) == 1, let parameters = X509_STORE_CTX_get0_param(context) else {
      return false
    }
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT)
    X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    X509_VERIFY_PARAM_set_depth(parameters, 10)
    // Level 1 refuses signatures over SHA-1 and MD5.
    X509_VERIFY_PARAM_set_auth_level(parameters, 1)
    if let moment { X509_VERIFY_PARAM_set_time(parameters, time_t(moment)) }
    return X509_verify_cert(context) == 1
  }
}
