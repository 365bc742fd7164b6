internal import JSON
internal import OrderedCollections

#if canImport(Glibc)
  internal import Glibc
#endif

/// `"…".format([…])`.
enum Formatter {
  static func format(_ template: String, _ arguments: [CELValue]) throws(CELError) -> String {
    let bytes = Array(template.utf8)
    var out: [UInt8] = []
    var at = 0
    var index = 0
    while at < bytes.count {
      guard bytes[at] == 0x25 else {
        out.append(bytes[at])
        at += 1
        continue
      }
      at += 1
      guard at < bytes.count else { throw CELError("could not parse formatting clause: unexpected end of the text") }
      if bytes[at] == 0x25 {
        out.append(0x25)
        at += 1
        continue
      }
      var precision: Int?
      if bytes[at] == 0x2E {
        at += 1
        var value = 0
        let start = at
        while at < bytes.count, bytes[at] &- 0x30 < 10 {
          value = min(value * 10 + Int(bytes[at] - 0x30), 10_000)
          at += 1
        }
        guard at > start, value <= 1000 else { throw CELError("could not parse formatting clause: a precision is a number up to 1000") }
        precision = value
      }
      guard at < bytes.count else { throw CELError("could not parse formatting clause: unexpected end of the text") }
      let clause = Unicode.Scalar(bytes[at])
      at += 1
      guard "sdfexXob".unicodeScalars.contains(clause) else {
        throw CELError("could not parse formatting clause: unrecognized formatting clause \"\(clause)\"")
      }
      guard index < arguments.count else { throw CELError("index \(index) out of range") }
      out += try one(clause, arguments[index].settled, precision).utf8
      index += 1
      guard out.count <= maximumTextBytes else { throw CELError("the result of format() is longer than allowed") }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func fail(_ what: String, _ value: CELValue) -> CELError {
    CELError("error during formatting: \(what), was given \(value.type.name)")
  }

  private static func one(_ clause: Unicode.Scalar, _ value: CELValue, _ precision: Int?) throws(CELError) -> String {
    switch clause {
    case "s": return try text(value)
    case "d":
      switch value {
      case .int(let value): return String(value)
      case .uint(let value): return String(value)
      case .double(let double) where !double.isFinite: return Conversions.plainText(double)
      default: throw fail("decimal clause can only be used on integers", value)
      }
    case "f", "e":
      let number: Double
      switch value {
      case .int(let value): number = Double(value)
      case .uint(let value): number = Double(value)
      case .double(let value): number = value
      default: throw fail("\(clause == "f" ? "fixed-point" : "scientific") clause can only be used on doubles", value)
      }
      guard number.isFinite else { return Conversions.plainText(number) }
      return printed(number, clause == "f" ? "f" : "e", precision ?? 6)
    case "b":
      switch value {
      case .int(let value): return String(value, radix: 2)
      case .uint(let value): return String(value, radix: 2)
      case .bool(let value): return value ? "1" : "0"
      default: throw fail("only integers and bools can be formatted as binary", value)
      }
    case "o":
      switch value {
      case .int(let value): return String(value, radix: 8)
      case .uint(let value): return String(value, radix: 8)
      default: throw fail("octal clause can only be used on integers", value)
      }
    default:
      let upper = clause == "X"
      switch value {
      case .int(let value): return String(value, radix: 16, uppercase: upper)
      case .uint(let value): return String(value, radix: 16, uppercase: upper)
      case .string(let text): return hex(Array(text.utf8), upper)
      case .bytes(let bytes): return hex(bytes, upper)
      default: throw fail("only integers, byte buffers, and strings can be formatted as hex", value)
      }
    }
  }

  static func hex(_ bytes: [UInt8], _ upper: Bool = false) -> String {
    let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// C's correctly rounded conversion.
  static func printed(_ value: Double, _ letter: String, _ precision: Int) -> String {
    withVaList([Int32(precision), value]) { arguments in
      var buffer = [CChar](repeating: 0, count: 400 + precision)
      let count = vsnprintf(&buffer, buffer.count, "%.*" + letter, arguments)
      return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private static func text(_ value: CELValue) throws(CELError) -> String {
    switch value {
    case .null: return "null"
    case .bool(let value): return String(value)
    case .int(let value): return String(value)
    case .uint(let value): return String(value)
    case .double(let value): return Conversions.plainText(value)
    case .string(let value): return value
    case .bytes(let value): return String(decoding: value, as: UTF8.self)
    case .timestamp(let value): return value.text
    case .duration(let value): return value.text
    case .type(let type): return type.name
    case .opaque(let value):
      if let text = value.text { return text }
    case .optional: break
    case .list, .map, .json:
      if let string = value.string { return string }
      if let elements = value.elements {
        var parts: [String] = []
        for element in elements { parts.append(try text(element)) }
        return "[" + parts.joined(separator: ", ") + "]"
      }
      var parts: [(String, String)] = []
      for (key, entry) in map(value).entries { parts.append((try text(key.value), try text(entry))) }
      return "{" + parts.sorted { textPrecedes($0.0, $1.0) }.map { $0.0 + ": " + $0.1 }.joined(separator: ", ") + "}"
    }
    throw fail(
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps", value)
  }
}
