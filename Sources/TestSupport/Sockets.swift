import Glibc

/// The few POSIX calls that the test servers need.
package enum Sockets {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
    package init(description: String) { self.description = description }
  }

  /// A TCP listener on 127.0.0.1 and a free port.
  package static func listenOnLoopback() throws -> (socket: Int32, port: Int) {
    let (socket, port) = try bindOnLoopback()
    try check("listen", Glibc.listen(socket, 128))
    return (socket, port)
  }

  /// A port of 127.0.0.1 at which nobody listens, nor can until the socket is closed.
  package static func bindOnLoopback(_ port: Int = 0) throws -> (socket: Int32, port: Int) {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    address.sin_port = in_port_t(port).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    do {
      try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          try check("bind", bind(socket, pointer, length))
          try check("getsockname", getsockname(socket, pointer, &length))
        }
      }
    } catch {
      close(socket)
      throw error
    }
    return (socket, Int(UInt16(bigEndian: address.sin_port)))
  }

  /// A connection to a port of 127.0.0.1.
  package static func connectOnLoopback(to port: Int) throws -> Int32 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    address.sin_port = in_port_t(port).bigEndian
    do {
      try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          try check("connect", connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)))
        }
      }
    } catch {
      close(socket)
      throw error
    }
    return socket
  }

  /// A port that was free a moment ago, for programs that must be told one. It is none of those that the system gives away by itself.
  package static func freePort() throws -> Int {
    for _ in 0..<1_000 {
      let port = Int.random(in: 10_000..<32_768)
      guard let (socket, _) = try? bindOnLoopback(port) else { continue }
      close(socket)
      return port
    }
    throw Failure(description: "no free port from 10000 to 32767")
  }

  static func listen(unixSocketPath path: String) throws -> Int32 {
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Failure(description: "the socket's path is too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    unlink(path)
    try withUnsafePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        try check("bind", bind(socket, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)))
        try check("listen", Glibc.listen(socket, 128))
      }
    }
    return socket
  }

  static func detachThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
  }

  private static func check(_ call: String, _ result: Int32) throws {
    guard result == 0 else { throw Failure(description: "\(call): \(String(cString: strerror(errno)))") }
  }
}
