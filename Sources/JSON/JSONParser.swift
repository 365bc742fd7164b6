#if canImport(Glibc)
  internal import Glibc
#endif

/// Checks JSON text and turns it into the flat node list of ``JSONDocument``. Iterative, so depth costs no stack.
///
/// `bytes[count]` is readable and zero. `at` never exceeds `count`: only bytes that were looked at and are not zero are stepped over, so looking at
/// `bytes[at]` needs no check. Zero bytes inside the text are refused wherever they stand, since no rule accepts them. Eight bytes are read at once
/// only where all of them belong to the text, so nothing beyond `bytes[count]` is ever read.
struct JSONParser {
  typealias Node = JSONDocument.Node
  typealias Tag = JSONDocument.Tag

  let bytes: UnsafeMutablePointer<UInt8>
  let count: Int
  let limits: JSONLimits
  private var at = 0
  /// Indices of the containers that are open.
  private var open: ContiguousArray<Int> = []

  init(bytes: UnsafeMutablePointer<UInt8>, count: Int, limits: JSONLimits) {
    self.bytes = bytes
    self.count = count
    self.limits = limits
  }

  mutating func parse(into nodes: inout ContiguousArray<Node>) throws(JSONError) {
    skipSpace()
    try value(&nodes)
    while let container = open.last {
      skipSpace()
      let isObject = nodes[container].tag == .object
      let closing: UInt8 = isObject ? 0x7D : 0x5D
      if bytes[at] == closing, at < count {
        at += 1
        nodes[container].length = UInt32(at) - nodes[container].start
        nodes[container].next = UInt32(nodes.count)
        open.removeLast()
        continue
      }
      if nodes[container].count > 0 {
        guard bytes[at] == 0x2C, at < count else { throw fail(isObject ? "expected ',' or '}'" : "expected ',' or ']'") }
        at += 1
        skipSpace()
        if bytes[at] == closing { throw fail("a comma before the closing bracket") }
      }
      guard nodes[container].count < 0xFF_FFFF else { throw fail("more than 16,777,215 elements in one container") }
      nodes[container].countAndTag += 0x100
      if isObject {
        guard bytes[at] == 0x22, at < count else { throw fail("expected a member name in double quotes") }
        try string(&nodes)
        skipSpace()
        guard bytes[at] == 0x3A, at < count else { throw fail("expected ':' after the member name") }
        at += 1
        skipSpace()
      }
      try value(&nodes)
    }
    skipSpace()
    if at < count { throw fail("unexpected text after the value") }
  }

  private mutating func skipSpace() {
    while true {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private mutating func value(_ nodes: inout ContiguousArray<Node>) throws(JSONError) {
    switch bytes[at] {
    case 0x22: try string(&nodes)
    case 0x7B: try container(.object, &nodes)
    case 0x5B: try container(.array, &nodes)
    case 0x74: try word("true", .true, &nodes)
    case 0x66: try word("false", .false, &nodes)
    case 0x6E: try word("null", .null, &nodes)
    case 0x2D, 0x30...0x39: try number(&nodes)
    default: throw fail("expected a value")
    }
  }

  private mutating func container(_ tag: Tag, _ nodes: inout ContiguousArray<Node>) throws(JSONError) {
    guard open.count < limits.maximumDepth else { throw fail("more than \(limits.maximumDepth) values inside each other") }
    open.append(nodes.count)
    append(tag, from: at, length: 1, &nodes)
    at += 1
  }

  private mutating func word(_ text: StaticString, _ tag: Tag, _ nodes: inout ContiguousArray<Node>) throws(JSONError) {
    let length = text.utf8CodeUnitCount
    // A text that ends inside the word differs in the zero byte after it, so this looks no further than that.
    for i in 0..<length where bytes[at + i] != text.utf8Start[i] { throw fail("expected \(text)") }
    append(tag, from: at, length: length, &nodes)
    at += length
  }

  private mutating func number(_ nodes: inout ContiguousArray<Node>) throws(JSONError) {
    let start = at
    var integer = true
    if bytes[at] == 0x2D { at += 1 }
    if bytes[at] == 0x30 {
      at += 1
    } else {
      guard digits() > 0 else { throw fail("expected a digit") }
    }
    if bytes[at] == 0x2E {
      integer = false
      at += 1
      guard digits() > 0 else { throw fail("expected a digit after the decimal point") }
    }
    if bytes[at] | 0x20 == 0x65 {
      integer = false
      at += 1
      if bytes[at] == 0x2B || bytes[at] == 0x2D { at += 1 }
      guard digits() > 0 else { throw fail("expected a digit in the exponent") }
    }
    // No integer of up to 300 digits is too large.
    if !limits.allowsInfinity, !integer || at - start > 300,
      strtod(UnsafePointer<CChar>(OpaquePointer(bytes + start)), nil).magnitude == .infinity
    {
      throw fail("a number that is too large")
    }
    append(integer ? .integer : .double, from: start, length: at - start, &nodes)
  }

  private mutating func digits() -> Int {
    let start = at
    while bytes[at] &- 0x30 < 10 { at += 1 }
    return at - start
  }

  private mutating func string(_ nodes: inout ContiguousArray<Node>) throws(JSONError) {
    at += 1
    let start = at
    var escaped = false
    while true {
      // Eight bytes at a time: the high bits of `found` mark control characters, quotes, backslashes and bytes above 0x7F. A subtraction can
      // borrow only from the bytes after the one that it marks, so the first mark is right, and what stands before it is plain.
      while at + 8 <= count {
        let word = UInt64(littleEndian: UnsafeRawPointer(bytes + at).loadUnaligned(as: UInt64.self))
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let found = ((word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | word) & (ones &* 0x80)
        at += found.trailingZeroBitCount >> 3
        if found != 0 { break }
      }
      let byte = bytes[at]
      if byte == 0x22 { break }
      if byte == 0x5C {
        escaped = true
        try escape()
      } else if byte < 0x20 {
        throw fail(at < count ? "a control character inside a string must be escaped" : "expected the closing quote of a string")
      } else if byte < 0x80 {
        at += 1
      } else {
        try multibyte(byte)
      }
    }
    append(escaped ? .escapedString : .string, from: start, length: at - start, &nodes)
    at += 1
  }

  private mutating func escape() throws(JSONError) {
    // The byte at `count` is zero and no backslash, so there is one after this.
    switch bytes[at + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: at += 2
    case 0x75:
      // Stops at the first byte that is no digit, at the latest at the zero byte after the text.
      for i in 2..<6 where hexValue(bytes[at + i]) == nil { throw fail("\\u needs four hexadecimal digits") }
      at += 6
    default: throw fail("unknown escape in a string")
    }
  }

  /// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
  private mutating func multibyte(_ first: UInt8) throws(JSONError) {
    func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
      at + offset < count && range.contains(bytes[at + offset])
    }
    switch first {
    case 0xC2...0xDF where follows(1): at += 2
    case 0xE0 where follows(1, 0xA0...0xBF) && follows(2): at += 3
    case 0xED where follows(1, 0x80...0x9F) && follows(2): at += 3
    case 0xE1...0xEF where first != 0xED && follows(1) && follows(2): at += 3
    case 0xF0 where follows(1, 0x90...0xBF) && follows(2) && follows(3): at += 4
    case 0xF1...0xF3 where follows(1) && follows(2) && follows(3): at += 4
    case 0xF4 where follows(1, 0x80...0x8F) && follows(2) && follows(3): at += 4
    default: throw fail("not UTF-8")
    }
  }

  private func append(_ tag: Tag, from start: Int, length: Int, _ nodes: inout ContiguousArray<Node>) {
    nodes.append(
      Node(start: UInt32(start), length: UInt32(length), next: UInt32(nodes.count + 1), countAndTag: UInt32(tag.rawValue)))
  }

  private func fail(_ reason: String) -> JSONError {
    var line = 1
    var lineStart = 0
    let end = min(at, count)
    for i in 0..<end where bytes[i] == 0x0A {
      line += 1
      lineStart = i + 1
    }
    return JSONError(
      reason: at >= count ? "\(reason), but the text ends here" : reason, offset: end, line: line, column: end - lineStart + 1)
  }
}

func hexValue(_ byte: UInt8) -> UInt32? {
  switch byte {
  case 0x30...0x39: UInt32(byte - 0x30)
  case 0x61...0x66: UInt32(byte - 0x61 + 10)
  case 0x41...0x46: UInt32(byte - 0x41 + 10)
  default: nil
  }
}
