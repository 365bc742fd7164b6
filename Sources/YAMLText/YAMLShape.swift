/// What a text could be at worst, told from its bytes in one pass before the parser sees it. The parser walks over all open flow collections at every
/// token, compares keys that are collections with all that is in them, at every level again, and goes through all tag directives at each: a few
/// hundred kilobytes can keep it busy for minutes. This pass does not know what is in quotes or in a block, so it only ever counts too much.
struct YAMLShape {
  /// A name stands behind `&` and behind `*`: an alias may stand for a list of aliases, and so on, a short text for more values than fit anywhere.
  private(set) var hasAliases = false

  private let bytes: Int
  private var tagDirectives = 0
  /// Flow collections that are not seen to end on their line.
  private var unclosed = 0
  /// The deepest nesting of those that are.
  private var deepest = 0
  /// Places where a key may begin or end that is a collection.
  private var keys = 0

  /// Where the parser stops by itself.
  private static let maximumDepth = 1000
  /// Bytes times the collections that may be open, and times the keys that a byte may be in: a few seconds each at most.
  private static let maximumOpenWork = 256 << 20
  private static let maximumKeyWork = 32 << 20

  /// Reading it costs hardly more than reading another text of its length.
  var isBearable: Bool {
    tagDirectives <= 16 && bytes * min(unclosed + deepest, Self.maximumDepth) <= Self.maximumOpenWork
      && bytes * min(keys + deepest, Self.maximumDepth) <= Self.maximumKeyWork
  }

  /// A bracket that was opened on this line, with nothing behind it that could make another bracket a text.
  private struct Bracket {
    let closer: UInt8
    let mayBeKey: Bool
    var depth = 1
  }

  init(_ text: UnsafeBufferPointer<UInt8>) {
    bytes = text.count
    var open: [Bracket] = []
    var anchors: Set<String> = []
    var aliases: Set<String> = []
    var previous = UInt8(ascii: " ")
    // The last byte that was no white space; another one in place of brackets that are done with.
    var last: UInt8 = 0
    for (index, byte) in text.enumerated() {
      var shown = byte
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        open.append(Bracket(closer: byte + 2, mayBeKey: last == UInt8(ascii: "{") || last == UInt8(ascii: ",")))
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        // Both of a pair are brackets, or both are text: either way the depth behind them is that before them.
        guard let bracket = open.last, bracket.closer == byte else {
          giveUp(&open)
          break
        }
        open.removeLast()
        deepest = max(deepest, bracket.depth)
        if let outer = open.indices.last { open[outer].depth = max(open[outer].depth, bracket.depth + 1) }
        shown = UInt8(ascii: ")")
      case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "#"), UInt8(ascii: "!"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x80...:
        // Behind these a bracket may be text where the one before was none. Some line breaks are not ASCII.
        giveUp(&open)
      case UInt8(ascii: ":"):
        if last == UInt8(ascii: "]") || last == UInt8(ascii: "}") { keys += 1 }
      case UInt8(ascii: "?"):
        if Self.mayBegin(after: previous) { keys += 1 }
      case UInt8(ascii: "&"), UInt8(ascii: "*"):
        guard Self.mayBegin(after: previous) else { break }
        let name = text[(index + 1)...].prefix(while: Self.isNameByte)
        guard !name.isEmpty else { break }
        let word = String(decoding: name, as: UTF8.self)
        if byte == UInt8(ascii: "&") { anchors.insert(word) } else { aliases.insert(word) }
      case UInt8(ascii: "%"):
        if text[(index + 1)...].prefix(3).elementsEqual("TAG".utf8) { tagDirectives += 1 }
      default: break
      }
      previous = byte
      if " \t\n\r".utf8.contains(byte) { continue }
      // A comment, a tag or an anchor, after which a key may come.
      if "#!&".utf8.contains(byte), last == UInt8(ascii: "{") || last == UInt8(ascii: ",") { keys += 1 }
      last = shown
    }
    giveUp(&open)
    hasAliases = !anchors.isDisjoint(with: aliases)
  }

  /// Nobody knows where these end.
  private mutating func giveUp(_ open: inout [Bracket]) {
    guard !open.isEmpty else { return }
    unclosed += open.count
    keys += open.count { $0.mayBeKey }
    open.removeAll(keepingCapacity: true)
  }

  /// Behind this byte YAML may read a mark as the beginning of something.
  private static func mayBegin(after byte: UInt8) -> Bool { " \t\n\r[{,:?".utf8.contains(byte) || byte >= 0x80 }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
  }
}
