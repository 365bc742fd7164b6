import HTTPMessage
import NIOCore
import NIOHTTP1

/// The header block of an HTTP/1.1 answer.
enum HTTP1Head {
  static func encode(
    status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, isChunked: Bool, keepAlive: Bool, version: HTTPVersion, date: String,
    allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var out = allocator.buffer(capacity: 256)
    out.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
    for (name, value) in headers.lines where !isOurs(name) {
      out.writeString(name)
      out.writeStaticString(": ")
      write(value, to: &out)
      out.writeStaticString("\r\n")
    }
    out.writeString("Date: \(date)\r\n")
    if let length { out.writeString("Content-Length: \(length)\r\n") }
    if isChunked { out.writeStaticString("Transfer-Encoding: chunked\r\n") }
    if !keepAlive {
      out.writeStaticString("Connection: close\r\n")
    } else if version.minor == 0 {
      out.writeStaticString("Connection: keep-alive\r\n")
    }
    out.writeStaticString("\r\n")
    return out
  }

  /// What the server alone decides.
  static func isOurs(_ name: String) -> Bool {
    switch name.utf8.count {
    case 4: same(name, "date")
    case 7: same(name, "upgrade")
    case 10: same(name, "connection") || same(name, "keep-alive")
    case 14: same(name, "content-length")
    case 16: same(name, "proxy-connection")
    case 17: same(name, "transfer-encoding")
    default: false
    }
  }

  /// A line break in a value would begin another header, so control characters become spaces.
  static func cleaned(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) else { return value }
    return String(decoding: value.utf8.map { $0 < 0x20 && $0 != 9 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
  }

  private static func write(_ value: String, to out: inout ByteBuffer) { out.writeString(cleaned(value)) }

  private static func same(_ name: String, _ lower: String) -> Bool { name.utf8.elementsEqual(lower.utf8) { $0 | 0x20 == $1 | 0x20 } }
}
