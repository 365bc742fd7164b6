internal import CZlib

/// The gzip format (RFC 1952) at level 1, where most of the gain is had for the least time; kube-apiserver uses the same.
package enum Gzip {
  private static let level: Int32 = 1
  /// The largest window, with a gzip header and trailer around it.
  private static let windowBits: Int32 = 15 + 16

  /// - Returns: nil when zlib has no memory; the bytes can then go out as they are.
  package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    guard czlib_deflate_init(&stream, level, windowBits) == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    // With room for the worst case one call does it all.
    let bound = Int(deflateBound(&stream, UInt(bytes.count)))
    var input = bytes
    var isWhole = false
    let output = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = buffer.baseAddress
        stream.avail_out = UInt32(bound)
        isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
      }
      count = bound - Int(stream.avail_out)
    }
    return isWhole ? output : nil
  }
}
