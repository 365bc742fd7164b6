/// A text of the file, cut at its `${ … }`.
struct TextPieces {
  enum Piece: Sendable {
    case literal(String)
    /// The source between the braces.
    case expression(String)
  }

  var pieces: [Piece] = []

  /// - Throws: a message when a `${` has no end.
  init(_ text: String) throws(TextPiecesError) {
    let bytes = Array(text.utf8)
    var literal: [UInt8] = []
    var at = 0
    func flush(_ literal: inout [UInt8], _ pieces: inout [Piece]) {
      if !literal.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
      literal = []
    }
    while at < bytes.count {
      // `$${` is a plain `${`.
      if bytes[at] == 0x24, at + 2 < bytes.count, bytes[at + 1] == 0x24, bytes[at + 2] == 0x7B {
        literal.append(contentsOf: [0x24, 0x7B])
        at += 3
      } else if bytes[at] == 0x24, at + 1 < bytes.count, bytes[at + 1] == 0x7B {
        guard let end = Self.end(of: bytes, from: at + 2) else { throw TextPiecesError(message: "'${' has no matching '}'") }
        flush(&literal, &pieces)
        let source = String(decoding: bytes[at + 2..<end], as: UTF8.self)
        if source.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0A }) { throw TextPiecesError(message: "'${}' holds no expression") }
        pieces.append(.expression(source))
        at = end + 1
      } else {
        literal.append(bytes[at])
        at += 1
      }
    }
    flush(&literal, &pieces)
  }

  /// The closing brace that belongs to an opened one; braces in string literals and comments do not count.
  private static func end(of bytes: [UInt8], from start: Int) -> Int? {
    var at = start
    var depth = 1
    while at < bytes.count {
      switch bytes[at] {
      case 0x7B: depth += 1
      case 0x7D:
        depth -= 1
        if depth == 0 { return at }
      case 0x22, 0x27:
        guard let next = endOfLiteral(bytes, at) else { return nil }
        at = next
        continue
      case 0x2F where at + 1 < bytes.count && bytes[at + 1] == 0x2F:
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        continue
      default: break
      }
      at += 1
    }
    return nil
  }

  /// The offset behind the string literal that begins with the quote at `start`.
  private static func endOfLiteral(_ bytes: [UInt8], _ start: Int) -> Int? {
    let quote = bytes[start]
    let raw = start > 0 && bytes[start - 1] | 0x20 == 0x72
    let triple = start + 2 < bytes.count && bytes[start + 1] == quote && bytes[start + 2] == quote
    let width = triple ? 3 : 1
    var at = start + width
    while at < bytes.count {
      if bytes[at] == 0x5C, !raw {
        at += 2
      } else if bytes[at] == quote, !triple || (at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote) {
        return at + width
      } else {
        at += 1
      }
    }
    return nil
  }
}

struct TextPiecesError: Error { var message: String }
