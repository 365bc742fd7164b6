/// Writes JSON text as a YAML document the way kubectl shows one: block style, members in their order, a list no further in than its name, texts of several
/// lines as they are.
///
/// It goes over the bytes once and builds no tree, so a list of any length takes the room of its text and no more, and it can be left between two pieces.
package struct YAMLWriter: Sendable {
  private struct Level: Sendable {
    let isObject: Bool
    let indent: Int
  }

  /// The document, as far as it is written.
  package private(set) var text: [UInt8] = []
  /// There would be more white space than ``limit`` leaves room for; it was left out, so the text is none.
  package private(set) var isTooLong = false
  private let json: [UInt8]
  private let limit: Int
  private var position = 0
  private var levels: [Level] = []
  /// A member's name is written, its value is not.
  private var hasName = false
  /// The next entry goes on behind the dash of the list that it is in.
  private var isBehindDash = false

  /// - Parameters:
  ///   - json: one valid JSON value.
  ///   - limit: where the text ends to be worth its white space. Deep nesting can make hundreds of bytes of one.
  package init(_ json: [UInt8], limit: Int = .max) {
    self.json = json
    self.limit = limit
    text.reserveCapacity(json.count + json.count / 8 + 16)
  }

  /// Writes about so many bytes of the JSON; a string is never left in its middle.
  ///
  /// - Returns: false when all is written.
  package mutating func advance(by count: Int = .max) -> Bool {
    let json = json
    return json.withUnsafeBufferPointer { json in
      let end = count < json.count - position ? position + count : json.count
      while position < end { token(json) }
      return position < json.count
    }
  }

  // MARK: Tokens

  private mutating func token(_ json: UnsafeBufferPointer<UInt8>) {
    switch json[position] {
    case UInt8(ascii: "{"), UInt8(ascii: "["): open(json)
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      levels.removeLast()
      position += 1
    case UInt8(ascii: "\""): string(json)
    case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: position += 1
    default: word(json)
    }
  }

  private mutating func open(_ json: UnsafeBufferPointer<UInt8>) {
    let isObject = json[position] == UInt8(ascii: "{")
    position += 1
    while position < json.count, [0x20, 0x09, 0x0A, 0x0D].contains(json[position]) { position += 1 }
    let parent = levels.last
    beginValue()
    if position < json.count, json[position] == UInt8(ascii: "}") || json[position] == UInt8(ascii: "]") {
      position += 1
      separate()
      text += isObject ? "{}\n".utf8 : "[]\n".utf8
      return
    }
    guard let parent else { return levels.append(Level(isObject: isObject, indent: 0)) }
    if parent.isObject {
      text.append(0x0A)
      levels.append(Level(isObject: isObject, indent: isObject ? parent.indent + 2 : parent.indent))
    } else {
      text.append(0x20)
      isBehindDash = true
      levels.append(Level(isObject: isObject, indent: parent.indent + 2))
    }
  }

  private mutating func string(_ json: UnsafeBufferPointer<UInt8>) {
    let start = position + 1
    var end = start
    var isEscaped = false
    while json[end] != UInt8(ascii: "\"") {
      if json[end] == UInt8(ascii: "\\") {
        isEscaped = true
        end += 1
      }
      end += 1
    }
    position = end + 1
    let raw = UnsafeBufferPointer(rebasing: json[start..<end])
    guard isEscaped else { return string(decoded: raw) }
    Self.unescaped(raw).withUnsafeBufferPointer { string(decoded: $0) }
  }

  private mutating func string(decoded: UnsafeBufferPointer<UInt8>) {
    guard levels.last?.isObject ?? false, !hasName else {
      beginValue()
      separate()
      scalar(decoded, YAMLStyle.ofText(decoded))
      return text.append(0x0A)
    }
    beginEntry()
    let style = YAMLStyle.ofName(decoded)
    if decoded.count <= Self.longestName {
      scalar(decoded, style)
    } else {
      text += "? ".utf8
      scalar(decoded, style)
      text.append(0x0A)
      indent()
    }
    text.append(UInt8(ascii: ":"))
    hasName = true
  }

  /// A number, true, false or null: JSON's words are YAML's.
  private mutating func word(_ json: UnsafeBufferPointer<UInt8>) {
    let start = position
    while position < json.count, !",:]} \t\n\r".utf8.contains(json[position]) { position += 1 }
    beginValue()
    separate()
    let word = json[start..<position]
    let isNumber = word.first! < 0x3A
    // YAML 1.1 has no number with an exponent but without point and sign.
    if isNumber, let mark = word.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
      text += word[..<mark]
      if !word.contains(UInt8(ascii: ".")) { text += ".0".utf8 }
      text.append(UInt8(ascii: "e"))
      if word[mark + 1] != UInt8(ascii: "-"), word[mark + 1] != UInt8(ascii: "+") { text.append(UInt8(ascii: "+")) }
      text += word[(mark + 1)...]
    } else {
      text += word
    }
    text.append(0x0A)
  }

  // MARK: Places

  /// A reader takes no longer name without a question mark before it: at most 1024 characters, and one byte becomes up to four.
  private static let longestName = 128

  private mutating func beginValue() {
    hasName = false
    guard let level = levels.last, !level.isObject else { return }
    beginEntry()
    text.append(UInt8(ascii: "-"))
  }

  private mutating func beginEntry() {
    if isBehindDash { isBehindDash = false } else { indent() }
  }

  private mutating func indent() { spaces(levels.last?.indent ?? 0) }

  private mutating func spaces(_ count: Int) {
    guard count <= limit - text.count else { return isTooLong = true }
    text += repeatElement(0x20, count: count)
  }

  /// Between a name or a dash and what stands on the same line.
  private mutating func separate() {
    if !levels.isEmpty { text.append(0x20) }
  }

  // MARK: Texts

  private mutating func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ style: YAMLStyle) {
    switch style {
    case .plain: text += bytes
    case .singleQuoted:
      text.append(UInt8(ascii: "'"))
      for byte in bytes {
        text.append(byte)
        if byte == UInt8(ascii: "'") { text.append(byte) }
      }
      text.append(UInt8(ascii: "'"))
    case .doubleQuoted: doubleQuoted(bytes)
    case .literal: literal(bytes)
    }
  }

  /// The lines, each two further in than what it belongs to. How many line feeds end the text is told by the mark: none, one or all.
  private mutating func literal(_ bytes: UnsafeBufferPointer<UInt8>) {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    text.append(UInt8(ascii: "|"))
    if bytes.last != 0x0A {
      text.append(UInt8(ascii: "-"))
    } else {
      lines.removeLast()
      if lines.last?.isEmpty ?? false { text.append(UInt8(ascii: "+")) }
    }
    let indent = (levels.last?.indent ?? 0) + 2
    for line in lines {
      text.append(0x0A)
      guard !line.isEmpty else { continue }
      spaces(indent)
      text += line
    }
  }

  private mutating func doubleQuoted(_ bytes: UnsafeBufferPointer<UInt8>) {
    text.append(UInt8(ascii: "\""))
    var at = 0
    while at < bytes.count {
      let byte = bytes[at]
      let width = YAMLStyle.widthOfUnprintable(bytes, at)
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0x09: text += "\\t".utf8
      case 0x0A: text += "\\n".utf8
      case 0x0D: text += "\\r".utf8
      case _ where width == 0: text.append(byte)
      case ..<0x80: escape("x", UInt32(byte), digits: 2)
      case _ where width == 2: escape("x", UInt32(bytes[at + 1]), digits: 2)
      default: escape("u", UInt32(byte & 15) << 12 | UInt32(bytes[at + 1] & 63) << 6 | UInt32(bytes[at + 2] & 63), digits: 4)
      }
      at += max(1, width)
    }
    text.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ letter: Unicode.Scalar, _ value: UInt32, digits: Int) {
    text += [UInt8(ascii: "\\"), UInt8(ascii: letter)]
    for digit in (0..<digits).reversed() {
      let value = UInt8(value >> UInt32(digit * 4) & 15)
      text.append(value < 10 ? 0x30 + value : 0x37 + value)
    }
  }

  /// - Parameter raw: what stands between the quotes of a valid JSON string. Half of a surrogate pair becomes U+FFFD, as everywhere.
  private static func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    func unit(_ at: Int) -> UInt32 {
      (at..<at + 4).reduce(0) { value, at in
        let byte = raw[at]
        return value << 4 | UInt32(byte < 0x3A ? byte & 15 : (byte | 0x20) - 0x57)
      }
    }
    var at = 0
    while at < raw.count {
      guard raw[at] == UInt8(ascii: "\\") else {
        out.append(raw[at])
        at += 1
        continue
      }
      let letter = raw[at + 1]
      at += 2
      switch letter {
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        var value = unit(at)
        at += 4
        if 0xD800...0xDBFF ~= value, at + 6 <= raw.count, raw[at] == UInt8(ascii: "\\"), raw[at + 1] == UInt8(ascii: "u"),
          case let low = unit(at + 2), 0xDC00...0xDFFF ~= low
        {
          value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
          at += 6
        }
        out += UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}")!
      default: out.append(letter)
      }
    }
    return out
  }
}
