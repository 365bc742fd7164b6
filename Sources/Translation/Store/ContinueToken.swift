internal import JSON
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
    guard let bytes = Self.decode(text) else { throw .invalidContinue("illegal base64 data") }
    guard let json = try? JSONValue(parsing: bytes) else { throw .invalidContinue("invalid character in the decoded token") }
    guard json["v"]?.string == "meta.k8s.io/v1" else {
      throw .invalidContinue("server does not recognize this encoded version \"\(json["v"]?.string ?? "")\"")
    }
    guard let version = json["rv"]?.int, version != 0, version >= -1 else {
      throw .invalidContinue("incorrect encoded start resourceVersion")
    }
    guard let start = json["start"]?.string, !start.isEmpty else { throw .invalidContinue("continue key not present") }
    self.init(version: version < 0 ? nil : UInt64(version), start: start)
  }

  var text: String {
    let json: JSONValue = ["v": "meta.k8s.io/v1", "rv": .int(version.map { Int64(clamping: $0) } ?? -1), "start": .string(start)]
    return Self.encode(json.encoded)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    guard text.utf8.count % 4 != 1 else { return nil }
    for byte in text.utf8 {
      guard let value = alphabet.firstIndex(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }
}
