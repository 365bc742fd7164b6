/// Protobuf's text form, as much of it as the conformance data uses; no schema, so every field may repeat.
indirect enum TextProto {
  case message([(name: String, value: TextProto)])
  /// A quoted string, decoded.
  case bytes([UInt8])
  /// A number, a word.
  case word(String)

  struct Failure: Error { let message: String }

  init(parsing text: String) throws {
    var reader = Reader(bytes: Array(text.utf8))
    self = .message(try reader.fields(until: nil))
  }

  var fields: [(name: String, value: TextProto)] { if case .message(let fields) = self { fields } else { [] } }
  subscript(_ name: String) -> TextProto? { fields.first { $0.name == name }?.value }
  func all(_ name: String) -> [TextProto] { fields.filter { $0.name == name }.map(\.value) }
  var raw: [UInt8] { if case .bytes(let bytes) = self { bytes } else { [] } }
  var string: String { if case .word(let word) = self { word } else { String(decoding: raw, as: UTF8.self) } }

  private struct Reader {
    let bytes: [UInt8]
    var at = 0

    mutating func skip() {
      while at < bytes.count {
        switch bytes[at] {
        case 0x20, 0x09, 0x0A, 0x0D, 0x2C, 0x3B: at += 1
        case 0x23: while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        default: return
        }
      }
    }

    mutating func word() -> String {
      let start = at
      while at < bytes.count, isWord(bytes[at]) { at += 1 }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2E, 0x2D, 0x2B: true
      default: false
      }
    }

    mutating func fields(until end: UInt8?) throws -> [(name: String, value: TextProto)] {
      var fields: [(name: String, value: TextProto)] = []
      while true {
        skip()
        guard at < bytes.count else {
          guard end == nil else { throw Failure(message: "message not closed") }
          return fields
        }
        if bytes[at] == end {
          at += 1
          return fields
        }
        var name: String
        if bytes[at] == 0x5B {
          let close = bytes[at...].firstIndex(of: 0x5D)!
          name = String(decoding: bytes[at...close], as: UTF8.self)
          at = close + 1
        } else {
          name = word()
        }
        guard !name.isEmpty else { throw Failure(message: "no field name at byte \(at)") }
        skip()
        if bytes[at] == 0x3A {
          at += 1
          skip()
        }
        if bytes[at] == 0x5B {
          at += 1
          while true {
            skip()
            if bytes[at] == 0x5D { break }
            fields.append((name, try value()))
          }
          at += 1
        } else {
          fields.append((name, try value()))
        }
      }
    }

    mutating func value() throws -> TextProto {
      switch bytes[at] {
      case 0x7B:
        at += 1
        return .message(try fields(until: 0x7D))
      case 0x3C:
        at += 1
        return .message(try fields(until: 0x3E))
      case 0x22, 0x27:
        var out: [UInt8] = []
        while at < bytes.count, bytes[at] == 0x22 || bytes[at] == 0x27 {
          out += try quoted()
          skip()
        }
        return .bytes(out)
      default:
        let text = word()
        guard !text.isEmpty else { throw Failure(message: "no value at byte \(at)") }
        return .word(text)
      }
    }

    mutating func quoted() throws -> [UInt8] {
      let quote = bytes[at]
      at += 1
      var out: [UInt8] = []
      while bytes[at] != quote {
        guard bytes[at] == 0x5C else {
          out.append(bytes[at])
          at += 1
          continue
        }
        let letter = bytes[at + 1]
        at += 2
        func digits(_ most: Int, _ radix: Int) -> UInt32 {
          var text = ""
          while text.count < most, Int(String(UnicodeScalar(bytes[at])), radix: radix) != nil {
            text.unicodeScalars.append(UnicodeScalar(bytes[at]))
            at += 1
          }
          return UInt32(text, radix: radix)!
        }
        switch letter {
        case 0x61: out.append(0x07)
        case 0x62: out.append(0x08)
        case 0x66: out.append(0x0C)
        case 0x6E: out.append(0x0A)
        case 0x72: out.append(0x0D)
        case 0x74: out.append(0x09)
        case 0x76: out.append(0x0B)
        case 0x78, 0x58: out.append(UInt8(digits(2, 16)))
        case 0x75, 0x55: out += Array(String(UnicodeScalar(digits(letter == 0x75 ? 4 : 8, 16))!).utf8)
        case 0x30...0x37:
          at -= 1
          out.append(UInt8(digits(3, 8)))
        default: out.append(letter)
        }
      }
      at += 1
      return out
    }
  }
}
