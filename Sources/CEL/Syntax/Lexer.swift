#if canImport(Glibc)
  internal import Glibc
#endif

/// Cuts a source into tokens, one at a time.
struct Lexer {
  let source: [UInt8]
  private(set) var at: Int

  init(_ source: [UInt8], from start: Int = 0) {
    self.source = source
    at = start
  }

  private func byte(_ ahead: Int = 0) -> UInt8 { at + ahead < source.count ? source[at + ahead] : 0 }

  private func fail(_ message: String, at offset: Int) -> CELError { CELError(.parse, message, at: offset) }

  mutating func next() throws(CELError) -> Token {
    skipSpace()
    let start = at
    guard at < source.count else { return Token(kind: .end, offset: start, end: start) }
    let kind = try scan()
    return Token(kind: kind, offset: start, end: at)
  }

  private mutating func skipSpace() {
    while at < source.count {
      switch source[at] {
      case 0x20, 0x09, 0x0A, 0x0C, 0x0D: at += 1
      case 0x2F where byte(1) == 0x2F:
        while at < source.count, source[at] != 0x0A { at += 1 }
      default: return
      }
    }
  }

  private mutating func scan() throws(CELError) -> Token.Kind {
    let first = source[at]
    switch first {
    case 0x22, 0x27: return try text(raw: false, bytes: false)
    case 0x30...0x39: return try number()
    case 0x2E where isDigit(byte(1)): return try number()
    case 0x60: return try backtick()
    case 0x5F, 0x41...0x5A, 0x61...0x7A: return try word()
    default: break
    }
    let second = byte(1)
    let pair: String? =
      switch (first, second) {
      case (0x3D, 0x3D): "=="
      case (0x21, 0x3D): "!="
      case (0x3C, 0x3D): "<="
      case (0x3E, 0x3D): ">="
      case (0x26, 0x26): "&&"
      case (0x7C, 0x7C): "||"
      default: nil
      }
    if let pair {
      at += 2
      return .symbol(pair)
    }
    guard "()[]{}.,:?+-*/%!<>".utf8.contains(first) else {
      let scalar = String(decoding: source[at...].prefix(4), as: UTF8.self).unicodeScalars.first.map { String($0) } ?? "?"
      throw fail("unexpected character '\(scalar)'", at: at)
    }
    at += 1
    return .symbol(String(UnicodeScalar(first)))
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
    default: false
    }
  }

  private mutating func word() throws(CELError) -> Token.Kind {
    let start = at
    while isWord(byte()) { at += 1 }
    let quote = byte()
    if quote == 0x22 || quote == 0x27, at - start <= 2 {
      let prefix = source[start..<at].map { $0 | 0x20 }
      switch prefix {
      case [0x72]: return try text(raw: true, bytes: false)
      case [0x62]: return try text(raw: false, bytes: true)
      case [0x62, 0x72]: return try text(raw: true, bytes: true)
      default: break
      }
    }
    let name = String(decoding: source[start..<at], as: UTF8.self)
    switch name {
    case "true", "false", "null", "in": return .symbol(name)
    default: return .ident(name)
    }
  }

  private mutating func backtick() throws(CELError) -> Token.Kind {
    let start = at
    at += 1
    while at < source.count, isWord(source[at]) || "-./ ".utf8.contains(source[at]) { at += 1 }
    guard byte() == 0x60, at > start + 1 else {
      throw fail("a quoted name is made of letters, digits, '_', '-', '.', '/' and spaces between backticks", at: start)
    }
    defer { at += 1 }
    return .quoted(String(decoding: source[start + 1..<at], as: UTF8.self))
  }

  private mutating func number() throws(CELError) -> Token.Kind {
    let start = at
    if source[at] == 0x30, byte(1) | 0x20 == 0x78 {
      at += 2
      let digits = at
      while hexDigit(byte()) != nil { at += 1 }
      guard at > digits else { throw fail("expected hexadecimal digits after 0x", at: start) }
      let value = UInt64(String(decoding: source[digits..<at], as: UTF8.self), radix: 16)
      return try integer(value)
    }
    while isDigit(byte()) { at += 1 }
    var isDouble = false
    if byte() == 0x2E, isDigit(byte(1)) {
      isDouble = true
      at += 1
      while isDigit(byte()) { at += 1 }
    }
    if byte() | 0x20 == 0x65 {
      let sign = byte(1) == 0x2B || byte(1) == 0x2D ? 1 : 0
      if isDigit(byte(1 + sign)) {
        isDouble = true
        at += 2 + sign
        while isDigit(byte()) { at += 1 }
      }
    }
    let text = String(decoding: source[start..<at], as: UTF8.self)
    if isDouble {
      if isWord(byte()) { throw fail("a letter directly after a number", at: at) }
      return .double(strtod(text, nil))
    }
    return try integer(UInt64(text))
  }

  private mutating func integer(_ value: UInt64?) throws(CELError) -> Token.Kind {
    if byte() | 0x20 == 0x75 {
      at += 1
      if isWord(byte()) { throw fail("a letter directly after a number", at: at) }
      return .uint(value)
    }
    if isWord(byte()) { throw fail("a letter directly after a number", at: at) }
    return .int(value)
  }

  private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x61...0x66: UInt32(byte - 0x61 + 10)
    case 0x41...0x46: UInt32(byte - 0x41 + 10)
    default: nil
    }
  }

  private mutating func text(raw: Bool, bytes: Bool) throws(CELError) -> Token.Kind {
    let start = at
    let quote = source[at]
    let triple = byte(1) == quote && byte(2) == quote
    at += triple ? 3 : 1
    var out: [UInt8] = []
    while true {
      guard at < source.count else { throw fail("the string has no closing quote", at: start) }
      let next = source[at]
      if next == quote, !triple || (byte(1) == quote && byte(2) == quote) {
        at += triple ? 3 : 1
        break
      }
      switch next {
      case 0x0A, 0x0D:
        guard triple else { throw fail("the string has no closing quote on its line", at: start) }
        // Every line ending is one line feed.
        if next == 0x0D, byte(1) == 0x0A { at += 1 }
        out.append(0x0A)
        at += 1
      case 0x5C:
        if raw {
          // Nothing is escaped in a raw string, the closing quote neither.
          out.append(0x5C)
          at += 1
        } else {
          try escape(bytes: bytes, into: &out)
        }
      default:
        out.append(next)
        at += 1
      }
    }
    return bytes ? .bytes(out) : .string(String(decoding: out, as: UTF8.self))
  }

  private mutating func escape(bytes: Bool, into out: inout [UInt8]) throws(CELError) {
    let start = at
    let letter = byte(1)
    at += 2
    func digits(_ count: Int, radix: UInt32) throws(CELError) -> UInt32 {
      var value: UInt32 = 0
      for i in 0..<count {
        guard let digit = hexDigit(byte(i)), digit < radix else {
          throw fail(
            radix == 8 ? "an octal escape needs three digits, at most \\377" : "the escape needs \(count) hexadecimal digits", at: start)
        }
        value = value * radix + digit
      }
      return value
    }
    switch letter {
    case 0x61: out.append(0x07)
    case 0x62: out.append(0x08)
    case 0x66: out.append(0x0C)
    case 0x6E: out.append(0x0A)
    case 0x72: out.append(0x0D)
    case 0x74: out.append(0x09)
    case 0x76: out.append(0x0B)
    case 0x5C, 0x3F, 0x22, 0x27, 0x60: out.append(letter)
    case 0x78, 0x58:
      let value = try digits(2, radix: 16)
      at += 2
      try append(value, bytes: bytes, from: start, into: &out)
    case 0x30...0x33:
      at -= 1
      let value = try digits(3, radix: 8)
      at += 3
      try append(value, bytes: bytes, from: start, into: &out)
    case 0x75, 0x55:
      guard !bytes else { throw fail("\\u and \\U have no meaning in bytes", at: start) }
      let count = letter == 0x75 ? 4 : 8
      var value = try digits(count, radix: 16)
      at += count
      // Two \u escapes may spell the halves of one code point.
      if letter == 0x75, 0xD800...0xDBFF ~= value, byte() == 0x5C, byte(1) == 0x75 {
        at += 2
        let low = try digits(4, radix: 16)
        guard 0xDC00...0xDFFF ~= low else { throw fail("the escape is not a Unicode code point", at: start) }
        at += 4
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      try append(value, bytes: false, from: start, into: &out)
    default: throw fail("unknown escape in a string", at: start)
    }
  }

  /// A byte of bytes, or a code point of a string.
  private func append(_ value: UInt32, bytes: Bool, from start: Int, into out: inout [UInt8]) throws(CELError) {
    if bytes {
      out.append(UInt8(value))
    } else {
      guard let scalar = Unicode.Scalar(value) else { throw fail("the escape is not a Unicode code point", at: start) }
      out.append(contentsOf: UTF8.encode(scalar)!)
    }
  }
}
