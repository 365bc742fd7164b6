internal import OrderedCollections

/// A request's path in decoded pieces, and its query.
struct RequestTarget: Sendable {
  /// As sent, query included.
  var text: String
  var path: [String]
  var query: [(name: String, value: String)]

  /// - Throws: 400 on a malformed percent escape.
  init(_ text: String) throws(EngineError) {
    self.text = text
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = []
    for piece in parts[0].split(separator: "/") { path.append(try Self.decoded(piece, plus: false)) }
    query = []
    guard parts.count == 2 else { return }
    for pair in parts[1].split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query.append((try Self.decoded(sides[0], plus: true), sides.count == 2 ? try Self.decoded(sides[1], plus: true) : ""))
    }
  }

  private static func decoded(_ text: some StringProtocol, plus: Bool) throws(EngineError) -> String {
    var out: [UInt8] = []
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      switch byte {
      case 0x25:
        guard let high = bytes.next().flatMap(hex), let low = bytes.next().flatMap(hex) else {
          throw EngineError(status: 400, code: "badRequest", message: "the request's target has a malformed percent escape")
        }
        out.append(high << 4 | low)
      case 0x2B where plus: out.append(0x20)
      default: out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
