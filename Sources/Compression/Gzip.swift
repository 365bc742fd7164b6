internal import CZlib

/// The gzip format (RFC 1952) at level 1, where most of the gain is had for the least time; kube-apiserver uses the same. One text, given in pieces.
package final class Gzip {
  private static let level: Int32 = 1
  /// The largest window, with a gzip header and trailer around it.
  private static let windowBits: Int32 = 15 + 16

  /// What is compressed so far; whole after the last piece.
  package private(set) var bytes: [UInt8] = []
  /// zlib remembers where it is.
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Returns: nil when zlib has no memory; the bytes can then go out as they are.
  package init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_deflate_init(stream, Self.level, Self.windowBits) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Compresses the next piece.
  package func add(_ piece: ArraySlice<UInt8>, isLast: Bool) {
    var piece = ContiguousArray(piece)
    let isWhole: Bool = piece.withUnsafeMutableBufferPointer { piece in
      stream.pointee.next_in = piece.baseAddress
      stream.pointee.avail_in = UInt32(piece.count)
      var result = Z_OK
      repeat { result = drain(flush: isLast ? Z_FINISH : Z_NO_FLUSH) } while result == Z_OK && stream.pointee.avail_out == 0
      stream.pointee.next_in = nil
      return isLast ? result == Z_STREAM_END : result == Z_OK || result == Z_BUF_ERROR
    }
    // Only a stream that was used wrongly comes to this.
    precondition(isWhole, "zlib broke off")
  }

  private static let room = 64 << 10

  private func drain(flush: Int32) -> Int32 {
    var result = Z_OK
    bytes += [UInt8](unsafeUninitializedCapacity: Self.room) { buffer, count in
      stream.pointee.next_out = buffer.baseAddress
      stream.pointee.avail_out = UInt32(Self.room)
      result = deflate(stream, flush)
      count = Self.room - Int(stream.pointee.avail_out)
    }
    return result
  }

  /// - Returns: nil when zlib has no memory.
  package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    guard let gzip = Gzip() else { return nil }
    gzip.add(bytes[...], isLast: true)
    return gzip.bytes
  }
}
