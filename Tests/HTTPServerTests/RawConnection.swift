import Foundation
import Glibc

/// A bare TCP connection, for what no HTTP client would send. It waits on a thread of its own.
final class RawConnection: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else { throw Failure() }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  struct Failure: Error {}

  deinit { close(descriptor) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Up to the text, or to the end of the connection, or 120 s without a byte.
  func read(until end: String? = nil) async -> String { await onThread { self.readBlocking(end) } }

  private func readBlocking(_ end: String?) -> String {
    var out: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &block, block.count, 0)
      guard count > 0 else { break }
      out += block[..<count]
      if let end, String(decoding: out, as: UTF8.self).contains(end) { break }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// True when the peer has closed.
  var isAtEnd: Bool {
    get async {
      await onThread {
        var byte: UInt8 = 0
        return recv(self.descriptor, &byte, 1, 0) <= 0 && errno != EAGAIN
      }
    }
  }

  /// Blocking the threads that tasks run on would keep the responder under test from answering.
  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: body()) }
    }
  }
}
