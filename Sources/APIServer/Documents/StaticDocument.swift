internal import HTTPMessage
internal import JSON

/// A document that is made once, at the start, with the tag by which clients keep it. The tag is made from the body, so it is the same on every
/// replica, and from the path and media type, so no two documents share one (kubernetes-wire D5, D6).
struct StaticDocument: Sendable {
  let body: [UInt8]
  let contentType: String
  /// Without quotes.
  let hash: String

  init(_ body: [UInt8], contentType: String = "application/json", path: String) {
    self.body = body
    self.contentType = contentType
    hash = Self.hash(path, contentType, body)
  }

  /// - Parameter isLine: ends with a line feed, as discovery does and OpenAPI does not.
  init(_ value: JSONValue, contentType: String = "application/json", path: String, isLine: Bool = false) {
    self.init(isLine ? value.encoded + [0x0A] : value.encoded, contentType: contentType, path: path)
  }

  /// 200 with the body, or 304 when the client has it.
  func response(to request: HTTPRequest, isImmutable: Bool = false) -> HTTPResponse {
    var headers = HTTPHeaders([("ETag", "\"\(hash)\""), ("Vary", "Accept")])
    if isImmutable { headers["Cache-Control"] = "public, immutable, max-age=31536000" }
    if let known = request.headers["If-None-Match"], matches(known) { return HTTPResponse(status: 304, headers: headers) }
    headers["Content-Type"] = contentType
    return HTTPResponse(status: 200, headers: headers, body: .bytes(body))
  }

  private func matches(_ header: String) -> Bool {
    header.split(separator: ",").contains { tag in
      let bare = tag.drop { $0 == " " }
      return (bare.hasPrefix("W/") ? bare.dropFirst(2) : bare) == "\"\(hash)\""
    }
  }

  /// 128 bits of FNV-1a over all parts, in upper-case hex. It only has to change with the content; nobody can choose the content.
  private static func hash(_ path: String, _ type: String, _ body: [UInt8]) -> String {
    let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B
    var value: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    for part in [Array(path.utf8), Array(type.utf8), body] {
      for byte in part { value = (value ^ UInt128(byte)) &* prime }
      value = (value ^ 0xFF) &* prime
    }
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: 32 - text.count) + text
  }
}
