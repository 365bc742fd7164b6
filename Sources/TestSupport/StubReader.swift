import Glibc

/// Reads requests from one connection: head, then a body by Content-Length or in chunks.
struct StubReader {
  let socket: Int32
  private var buffer: [UInt8] = []

  init(socket: Int32) { self.socket = socket }

  /// nil when the connection ended or sent something that is no request.
  mutating func request(connection: Int) -> StubRequest? {
    guard let first = line(), !first.isEmpty else { return nil }
    let words = first.split(separator: " ")
    guard words.count == 3 else { return nil }
    var request = StubRequest(method: String(words[0]), target: String(words[1]), connection: connection)
    while true {
      guard let header = line() else { return nil }
      if header.isEmpty { break }
      guard let colon = header.firstIndex(of: ":") else { return nil }
      request.headers.append((String(header[..<colon]), String(header[header.index(after: colon)...].drop { $0 == " " })))
    }
    if request.header("Transfer-Encoding")?.lowercased() == "chunked" {
      while true {
        guard let size = line().flatMap({ Int($0.prefix { $0 != ";" }, radix: 16) }), let chunk = bytes(size), line() != nil else {
          return nil
        }
        if size == 0 { break }
        request.body += chunk
      }
    } else if let length = request.header("Content-Length").flatMap({ Int($0) }) {
      guard let body = bytes(length) else { return nil }
      request.body = body
    }
    return request
  }

  private mutating func line() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let text = buffer[..<end].last == 0x0D ? buffer[..<(end - 1)] : buffer[..<end]
        defer { buffer.removeSubrange(...end) }
        return String(decoding: text, as: UTF8.self)
      }
      guard fill() else { return nil }
    }
  }

  private mutating func bytes(_ count: Int) -> [UInt8]? {
    while buffer.count < count { guard fill() else { return nil } }
    defer { buffer.removeFirst(count) }
    return Array(buffer[..<count])
  }

  private mutating func fill() -> Bool {
    var piece = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &piece, piece.count, 0)
    guard count > 0 else { return false }
    buffer += piece[..<count]
    return true
  }
}
