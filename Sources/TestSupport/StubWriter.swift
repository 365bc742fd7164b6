import Glibc

/// Writes answers to one connection.
struct StubWriter {
  let socket: Int32

  /// False when the connection must end.
  func write(_ answer: StubAnswer, to request: StubRequest) -> Bool {
    answer.before?()
    switch answer.body {
    case .closed: return false
    case .raw(let bytes):
      _ = send(bytes)
      return false
    case .silence:
      var byte: UInt8 = 0
      while recv(socket, &byte, 1, 0) > 0 {}
      return false
    case .whole(let body):
      var head = head(answer)
      if answer.status != 204 && answer.status != 304 { head += "Content-Length: \(body.count)\r\n" }
      return send(Array((head + "\r\n").utf8) + (request.method == "HEAD" ? [] : body)) && !answer.closes
    case .chunks(let next):
      guard send(Array((head(answer) + "Transfer-Encoding: chunked\r\n\r\n").utf8)) else { return false }
      var number = 0
      while let chunk = next(number) {
        guard send(Array((String(chunk.count, radix: 16) + "\r\n").utf8) + chunk + [0x0D, 0x0A]) else { return false }
        number += 1
      }
      return send(Array("0\r\n\r\n".utf8)) && !answer.closes
    }
  }

  private func head(_ answer: StubAnswer) -> String {
    var head = "HTTP/1.1 \(answer.status) Scripted\r\n"
    for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
    if answer.closes { head += "Connection: close\r\n" }
    return head
  }

  private func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
