import COpenSSL

/// Random bytes fit for keys, tokens and serial numbers.
package enum SecureRandom {
  package static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      let done = RAND_bytes(out.baseAddress, Int32(count))
      precondition(done == 1, "OpenSSL has no random bytes")
      initialized = count
    }
  }
}
