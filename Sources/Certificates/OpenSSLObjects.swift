import COpenSSL

/// One X509, freed with the object. OpenSSL counts its references atomically, and nobody changes it after it was made.
final class Certificate: @unchecked Sendable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }
  deinit { X509_free(pointer) }

  /// Nil when the bytes are no certificate.
  convenience init?(der: [UInt8]) {
    let pointer = der.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_X509(nil, &position, bytes.count)
    }
    guard let pointer else {
      ERR_clear_error()
      return nil
    }
    self.init(owning: pointer)
  }

  var der: [UInt8] {
    let count = i2d_X509(pointer, nil)
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: Int(count)) { out, initialized in
      var position = out.baseAddress
      initialized = Int(i2d_X509(pointer, &position))
    }
  }

  var pem: String {
    get throws { try memoryText { PEM_write_bio_X509($0, pointer) } }
  }

  /// All certificates of a PEM text, in order; other blocks are skipped.
  static func all(pem: [UInt8]) throws -> [Certificate] {
    try withMemory(pem) { bio in
      var found: [Certificate] = []
      ERR_clear_error()
      while let pointer = copenssl_read_certificate(bio) { found.append(Certificate(owning: pointer)) }
      guard copenssl_is_end_of_pem(ERR_peek_last_error()) != 0 else { throw CertificateError.openSSL("a certificate cannot be read") }
      ERR_clear_error()
      return found
    }
  }

  /// The values of one subject attribute, in order.
  func subjectValues(_ nid: Int32) -> [String] {
    guard let name = X509_get_subject_name(pointer) else { return [] }
    var values: [String] = []
    var index = X509_NAME_get_index_by_NID(name, nid, -1)
    while index >= 0 {
      var text: UnsafeMutablePointer<UInt8>?
      let count = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)))
      if count >= 0, let text {
        values.append(String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self))
        CRYPTO_free(text, #file, #line)
      }
      index = X509_NAME_get_index_by_NID(name, nid, index)
    }
    return values
  }
}

/// One private key, freed with the object; never changed after it was made.
final class PrivateKey: @unchecked Sendable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }
  deinit { EVP_PKEY_free(pointer) }

  /// A new key on P-256.
  convenience init() throws {
    guard let pointer = copenssl_generate_p256() else { throw CertificateError.openSSL("no key could be made") }
    self.init(owning: pointer)
  }

  convenience init(pem: [UInt8]) throws {
    let pointer = withMemory(pem) { copenssl_read_private_key($0) }
    guard let pointer else { throw CertificateError.openSSL("the private key cannot be read (is it PEM, without a pass phrase?)") }
    self.init(owning: pointer)
  }

  /// PKCS #8, not encrypted.
  var pem: String {
    get throws { try memoryText { PEM_write_bio_PKCS8PrivateKey($0, pointer, nil, nil, 0, nil, nil) } }
  }
}

/// A read-only BIO over the bytes, for the length of the call.
func withMemory<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) throws -> Result) rethrows -> Result {
  try bytes.withUnsafeBytes { buffer in
    guard let bio = BIO_new_mem_buf(buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32(buffer.count)) else {
      preconditionFailure("OpenSSL has no memory")
    }
    defer { BIO_free(bio) }
    return try body(bio)
  }
}

/// What the call writes into a memory BIO, as text.
private func memoryText(_ write: (OpaquePointer) -> Int32) throws -> String {
  guard let bio = BIO_new(BIO_s_mem()) else { throw CertificateError.openSSL("no memory") }
  defer { BIO_free(bio) }
  guard write(bio) == 1 else { throw CertificateError.openSSL("PEM could not be written") }
  var data: UnsafeMutablePointer<CChar>?
  let count = copenssl_bio_mem_data(bio, &data)
  guard let data, count > 0 else { throw CertificateError("PEM could not be written") }
  return String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
}
