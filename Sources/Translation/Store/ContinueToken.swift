internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Where a paged list goes on: `{"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\u0000"}` in unpadded base64url, as Go servers write it
/// (kubernetes-wire L8). The snapshot itself is not kept: it is made again from the event window.
struct ContinueToken: Sendable, Hashable {
  /// nil (−1 on the wire): go on at the newest state, whatever that is by then.
  var version: UInt64?
  /// The first key that was not yet listed.
  var start: String

  init(version: UInt64?, start: String) {
    self.version = version
    self.start = start
  }

  /// After an object.
  init(version: UInt64?, after key: String) { self.init(version: version, start: key + "\0") }

  init(_ text: String) throws(ReadFailure) {
    guard let bytes = Base64.decode(text, .url) else { throw .invalidContinue(Self.alphabetFault(text)) }
    guard let json = try? JSONValue(parsing: bytes) else { throw .invalidContinue(Self.syntaxFault(bytes)) }
    guard json["v"]?.string == "meta.k8s.io/v1" else {
      throw .invalidContinue("server does not recognize this encoded version \"\(json["v"]?.string ?? "")\"")
    }
    guard let version = json["rv"]?.int, version != 0, version >= -1 else {
      throw .invalidContinue("incorrect encoded start resourceVersion")
    }
    guard let start = json["start"]?.string, !start.isEmpty else { throw .invalidContinue("continue key not present") }
    self.init(version: version < 0 ? nil : UInt64(version), start: start)
  }

  /// As Go's base64: the first byte that is not of the alphabet, or the last when it has none to complete it.
  private static func alphabetFault(_ text: String) -> String {
    let bytes = Array(text.utf8)
    func isDigit(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F }
    return "illegal base64 data at input byte \(bytes.firstIndex { !isDigit($0) } ?? max(0, bytes.count - 1))"
  }

  /// As Go's JSON, for a text whose very beginning is none; that is what a made-up token comes to.
  private static func syntaxFault(_ bytes: [UInt8]) -> String {
    guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }) else { return "unexpected end of JSON input" }
    guard !"{[\"-0123456789tfn".utf8.contains(first) else { return "invalid character in the decoded token" }
    return "invalid character '\(GoText.escaped(Unicode.Scalar(first), quote: "'"))' looking for beginning of value"
  }

  var text: String {
    let json: JSONValue = ["v": "meta.k8s.io/v1", "rv": .int(version.map { Int64(clamping: $0) } ?? -1), "start": .string(start)]
    return Base64.encode(json.encoded, .url)
  }
}
