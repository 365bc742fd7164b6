internal import JSON

extension Library {
  static let strings: [CELFunction] = [
    .binary("contains", member: true, .string, .string, .bool, cost: .product) { value, part throws(CELError) in
      .bool(text(value).withBytes { value in text(part).withBytes { find($0, in: value) != nil } })
    },
    .binary("startsWith", member: true, .string, .string, .bool, cost: .traverse) { value, part throws(CELError) in
      .bool(text(value).utf8.starts(with: text(part).utf8))
    },
    .binary("endsWith", member: true, .string, .string, .bool, cost: .traverse) { value, part throws(CELError) in
      .bool(text(value).utf8.reversed().starts(with: text(part).utf8.reversed()))
    },
    .binary("charAt", member: true, .string, .int, .string, cost: .traverse) { value, index throws(CELError) in
      let scalars = Scalars(text(value))
      let index = int(index)
      guard index >= 0, index <= scalars.count else { throw outOfRange(index) }
      return .string(index == scalars.count ? "" : scalars.slice(Int(index), Int(index) + 1))
    },
    .binary("indexOf", member: true, .string, .string, .int, cost: .product) { value, part throws(CELError) in try indexOf(value, part, 0)
    },
    .many("indexOf", member: true, [.string, .string, .int], .int, cost: .product) { values throws(CELError) in
      try indexOf(values[0], values[1], int(values[2]))
    },
    .binary("lastIndexOf", member: true, .string, .string, .int, cost: .product) { value, part throws(CELError) in
      try lastIndexOf(value, part, nil)
    },
    .many("lastIndexOf", member: true, [.string, .string, .int], .int, cost: .product) { values throws(CELError) in
      try lastIndexOf(values[0], values[1], int(values[2]))
    },
    .unary("lowerAscii", member: true, .string, .string, cost: .traverse) { value throws(CELError) in
      .string(String(decoding: text(value).utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self))
    },
    .unary("upperAscii", member: true, .string, .string, cost: .traverse) { value throws(CELError) in
      .string(String(decoding: text(value).utf8.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }, as: UTF8.self))
    },
    .many("replace", member: true, [.string, .string, .string], .string, cost: .product) { values throws(CELError) in
      try replace(values, -1)
    },
    .many("replace", member: true, [.string, .string, .string, .int], .string, cost: .product) { values throws(CELError) in
      try replace(values, int(values[3]))
    },
    .binary("split", member: true, .string, .string, .list(.string), cost: .product) { value, separator throws(CELError) in
      try split(value, separator, -1)
    },
    .many("split", member: true, [.string, .string, .int], .list(.string), cost: .product) { values throws(CELError) in
      try split(values[0], values[1], int(values[2]))
    },
    .binary("substring", member: true, .string, .int, .string, cost: .traverse) { value, start throws(CELError) in
      try substring(value, int(start), nil)
    },
    .many("substring", member: true, [.string, .int, .int], .string, cost: .traverse) { values throws(CELError) in
      try substring(values[0], int(values[1]), int(values[2]))
    },
    .unary("trim", member: true, .string, .string, cost: .traverse) { value throws(CELError) in
      var scalars = Substring(text(value)).unicodeScalars
      while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
      while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
      return .string(String(Substring(scalars)))
    },
    .unary("join", member: true, .list(.string), .string, cost: .traverse) { value throws(CELError) in try join(value, "") },
    .binary("join", member: true, .list(.string), .string, .string, cost: .traverse) { value, separator throws(CELError) in
      try join(value, text(separator))
    },
    .unary("reverse", member: true, .string, .string, cost: .traverse) { value throws(CELError) in
      var out = String.UnicodeScalarView()
      out.append(contentsOf: text(value).unicodeScalars.reversed())
      return .string(String(out))
    },
    .unary("strings.quote", .string, .string, cost: .traverse) { value throws(CELError) in .string(quote(text(value))) },
    .binary("format", member: true, .string, .list(.dyn), .string, cost: .traverse) { value, arguments throws(CELError) in
      .string(try Formatter.format(text(value), arguments.elements ?? []))
    },
  ]

  private static func outOfRange(_ index: Int64) -> CELError { CELError("index out of range: \(index)") }

  /// A text that is cut by code points.
  private struct Scalars {
    let bytes: [UInt8]
    /// Byte offsets of the code points, and the end. Empty when each is one byte.
    let offsets: [Int]

    init(_ text: String) {
      let bytes = Array(text.utf8)
      self.bytes = bytes
      guard bytes.contains(where: { $0 >= 0x80 }) else {
        offsets = []
        return
      }
      offsets = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 } + [bytes.count]
    }

    var count: Int { offsets.isEmpty ? bytes.count : offsets.count - 1 }
    func offset(_ index: Int) -> Int { offsets.isEmpty ? index : offsets[index] }
    func slice(_ start: Int, _ end: Int) -> String { String(decoding: bytes[offset(start)..<offset(end)], as: UTF8.self) }
    func index(ofByte byte: Int) -> Int {
      guard !offsets.isEmpty else { return byte }
      var low = 0
      var high = offsets.count
      while low < high {
        let middle = (low + high) / 2
        if offsets[middle] < byte { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private static func indexOf(_ value: CELValue, _ part: CELValue, _ start: Int64) throws(CELError) -> CELValue {
    let scalars = Scalars(text(value))
    guard start >= 0, start <= scalars.count else { throw outOfRange(start) }
    let found = scalars.bytes.withUnsafeBufferPointer { bytes in
      text(part).withBytes { find($0, in: bytes, from: scalars.offset(Int(start))) }
    }
    return .int(found.map { Int64(scalars.index(ofByte: $0)) } ?? -1)
  }

  private static func lastIndexOf(_ value: CELValue, _ part: CELValue, _ start: Int64?) throws(CELError) -> CELValue {
    let scalars = Scalars(text(value))
    let part = Array(text(part).utf8)
    if let start, start < 0 || start > scalars.count { throw outOfRange(start) }
    var at = scalars.bytes.count - part.count
    if let start { at = min(at, scalars.offset(Int(start))) }
    while at >= 0 {
      if scalars.bytes[at...].starts(with: part) { return .int(Int64(scalars.index(ofByte: at))) }
      at -= 1
    }
    return .int(-1)
  }

  private static func substring(_ value: CELValue, _ start: Int64, _ end: Int64?) throws(CELError) -> CELValue {
    let scalars = Scalars(text(value))
    guard start >= 0, start <= scalars.count else { throw outOfRange(start) }
    let end = end ?? Int64(scalars.count)
    guard end >= 0, end <= scalars.count else { throw outOfRange(end) }
    guard start <= end else { throw CELError("invalid substring range: start \(start), end \(end)") }
    return .string(scalars.slice(Int(start), Int(end)))
  }

  /// Byte offsets of the occurrences, from the left, not overlapping; between all code points for an empty part.
  private static func occurrences(of part: String, in bytes: [UInt8], limit: Int) -> [Int] {
    var found: [Int] = []
    if part.isEmpty {
      for i in bytes.indices where bytes[i] & 0xC0 != 0x80 && found.count < limit { found.append(i) }
      if found.count < limit { found.append(bytes.count) }
      return found
    }
    bytes.withUnsafeBufferPointer { bytes in
      part.withBytes { part in
        var at = 0
        while found.count < limit, let next = find(part, in: bytes, from: at) {
          found.append(next)
          at = next + part.count
        }
      }
    }
    return found
  }

  private static func replace(_ values: [CELValue], _ count: Int64) throws(CELError) -> CELValue {
    let bytes = Array(text(values[0]).utf8)
    let old = text(values[1])
    let new = Array(text(values[2]).utf8)
    let places = occurrences(of: old, in: bytes, limit: count < 0 ? .max : Int(count))
    guard bytes.count + places.count * new.count <= maximumTextBytes else {
      throw CELError("the result of replace() is longer than allowed")
    }
    var out: [UInt8] = []
    var at = 0
    for place in places {
      out += bytes[at..<place]
      out += new
      at = place + old.utf8.count
    }
    out += bytes[at...]
    return .string(String(decoding: out, as: UTF8.self))
  }

  private static func split(_ value: CELValue, _ separator: CELValue, _ limit: Int64) throws(CELError) -> CELValue {
    if limit == 0 { return .list([]) }
    let bytes = Array(text(value).utf8)
    let separator = text(separator)
    var places = occurrences(of: separator, in: bytes, limit: limit < 0 ? .max : Int(limit) - (separator.isEmpty ? 0 : 1))
    if separator.isEmpty {
      // Between the code points, not around them.
      if bytes.isEmpty { return .list([]) }
      places = places.filter { $0 > 0 && $0 < bytes.count }
      if limit > 0 { places = Array(places.prefix(Int(limit) - 1)) }
    }
    var out: [CELValue] = []
    var at = 0
    for place in places {
      out.append(.string(String(decoding: bytes[at..<place], as: UTF8.self)))
      at = place + separator.utf8.count
    }
    out.append(.string(String(decoding: bytes[at...], as: UTF8.self)))
    return .list(out)
  }

  private static func join(_ value: CELValue, _ separator: String) throws(CELError) -> CELValue {
    var out = ""
    var first = true
    var iterator = ElementIterator(value)
    while let element = iterator.next() {
      guard let text = element.string else { throw noOverload("join", [value]) }
      if !first { out += separator }
      first = false
      out += text
      guard out.utf8.count <= maximumTextBytes else { throw CELError("the result of join() is longer than allowed") }
    }
    return .string(out)
  }

  static func quote(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{07}": out += "\\a"
      case "\u{08}": out += "\\b"
      case "\u{0C}": out += "\\f"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0B}": out += "\\v"
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
