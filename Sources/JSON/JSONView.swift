internal import OrderedCollections

#if canImport(Glibc)
  internal import Glibc
#endif

/// One value inside a ``JSONDocument``: a reference and an index, cheap to copy, decoded only when asked.
public struct JSONView: Sendable {
  public enum Kind: String, Sendable { case null, bool, number, string, array, object }

  let document: JSONDocument
  let index: Int

  var node: JSONDocument.Node { document.nodes[index] }

  public var kind: Kind {
    switch node.tag {
    case .null: .null
    case .true, .false: .bool
    case .integer, .double: .number
    case .string, .escapedString: .string
    case .array: .array
    case .object: .object
    }
  }

  public var isNull: Bool { node.tag == .null }

  /// nil unless this is `true` or `false`.
  public var bool: Bool? {
    switch node.tag {
    case .true: true
    case .false: false
    default: nil
    }
  }

  /// The number, when it is written without fraction and exponent and fits; else nil.
  public var int: Int64? {
    guard node.tag == .integer else { return nil }
    let node = node
    if node.length < 19 {
      // At most 18 characters cannot overflow.
      let bytes = rawBytes
      let negative = bytes[0] == 0x2D
      var value: Int64 = 0
      for byte in bytes[(negative ? 1 : 0)...] { value = value &* 10 &+ Int64(byte &- 0x30) }
      return negative ? -value : value
    }
    return Int64(text(node))
  }

  /// The number, when it is written without fraction and exponent and fits; else nil.
  public var uint: UInt64? { node.tag == .integer ? UInt64(text(node)) : nil }

  /// The number as IEEE 754 binary64, of any spelling; infinite when too large. nil unless this is a number.
  public var double: Double? {
    switch node.tag {
    case .integer, .double: strtod(document.bytes.assumingMemoryBound(to: CChar.self) + Int(node.start), nil)
    default: nil
    }
  }

  /// True for a number written without fraction and exponent.
  public var isInteger: Bool { node.tag == .integer }

  /// The decoded text; nil unless this is a string. A lone surrogate escape decodes to U+FFFD.
  public var string: String? {
    switch node.tag {
    case .string: text(node)
    case .escapedString: unescaped(rawBytes)
    default: nil
    }
  }

  /// Elements or members; 0 for scalars.
  public var count: Int { node.count }

  /// The value's own text: strings without their quotes and with their escapes, containers with their brackets.
  /// Valid only while the document lives.
  public var rawBytes: UnsafeBufferPointer<UInt8> {
    let node = node
    return UnsafeBufferPointer(
      start: UnsafePointer(document.bytes.assumingMemoryBound(to: UInt8.self) + Int(node.start)), count: Int(node.length))
  }

  /// The member of that name, the last one where a name is repeated (as encoding/json does); nil when absent or when this is no object.
  public subscript(_ name: String) -> JSONView? {
    var name = name
    return name.withUTF8 { member(named: $0) }
  }

  /// The member whose name has those UTF-8 bytes; see ``subscript(_:)-(String)``.
  public func member(named name: UnsafeBufferPointer<UInt8>) -> JSONView? {
    let node = node
    guard node.tag == .object else { return nil }
    var found: JSONView?
    var at = index + 1
    for _ in 0..<node.count {
      let key = document.nodes[at]
      let value = at + 1
      if key.tag == .string {
        if Int(key.length) == name.count, name.isEmpty || memcmp(document.bytes + Int(key.start), name.baseAddress!, name.count) == 0 {
          found = JSONView(document: document, index: value)
        }
      } else if Array(JSONView(document: document, index: at).string!.utf8).elementsEqual(name) {
        found = JSONView(document: document, index: value)
      }
      at = Int(document.nodes[value].next)
    }
    return found
  }

  /// The element at that position; nil when out of range or when this is no array. Linear in `position`: iterate ``elements`` instead.
  public subscript(_ position: Int) -> JSONView? {
    guard node.tag == .array, position >= 0, position < node.count else { return nil }
    var at = index + 1
    for _ in 0..<position { at = Int(document.nodes[at].next) }
    return JSONView(document: document, index: at)
  }

  /// The elements of an array, in order; empty for anything else.
  public var elements: Elements { Elements(view: self) }

  /// The members of an object in the order of the text, repeated names included; empty for anything else.
  public var members: Members { Members(view: self) }

  public struct Elements: Sequence, IteratorProtocol, Sendable {
    private let document: JSONDocument
    private var at: Int
    private var left: Int

    init(view: JSONView) {
      document = view.document
      at = view.index + 1
      left = view.node.tag == .array ? view.node.count : 0
    }

    public mutating func next() -> JSONView? {
      guard left > 0 else { return nil }
      left -= 1
      defer { at = Int(document.nodes[at].next) }
      return JSONView(document: document, index: at)
    }
  }

  public struct Members: Sequence, IteratorProtocol, Sendable {
    private let document: JSONDocument
    private var at: Int
    private var left: Int

    init(view: JSONView) {
      document = view.document
      at = view.index + 1
      left = view.node.tag == .object ? view.node.count : 0
    }

    public mutating func next() -> (name: String, value: JSONView)? {
      guard left > 0 else { return nil }
      left -= 1
      let name = JSONView(document: document, index: at).string!
      let value = JSONView(document: document, index: at + 1)
      at = Int(document.nodes[at + 1].next)
      return (name, value)
    }
  }

  /// The whole subtree as values of its own; the last of repeated names counts.
  public var value: JSONValue {
    switch node.tag {
    case .null: return .null
    case .true: return .bool(true)
    case .false: return .bool(false)
    case .integer:
      if let int { return .int(int) }
      return .double(double!)
    case .double: return .double(double!)
    case .string, .escapedString: return .string(string!)
    case .array: return .array(elements.map(\.value))
    case .object:
      var object = JSONObject(minimumCapacity: node.count)
      for (name, member) in members { object[name] = member.value }
      return .object(object)
    }
  }

  private func text(_ node: JSONDocument.Node) -> String {
    let start = document.bytes.assumingMemoryBound(to: UInt8.self) + Int(node.start)
    return String(decoding: UnsafeBufferPointer(start: start, count: Int(node.length)), as: UTF8.self)
  }

  private func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    var i = 0
    func unit(_ at: Int) -> UInt32 { (2..<6).reduce(0) { $0 << 4 | hexValue(raw[at + $1])! } }
    while i < raw.count {
      guard raw[i] == 0x5C else {
        out.append(raw[i])
        i += 1
        continue
      }
      switch raw[i + 1] {
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0C)
      case 0x6E: out.append(0x0A)
      case 0x72: out.append(0x0D)
      case 0x74: out.append(0x09)
      case 0x75:
        var scalar = unit(i)
        i += 4
        if 0xD800...0xDBFF ~= scalar, i + 8 <= raw.count, raw[i + 2] == 0x5C, raw[i + 3] == 0x75, case let low = unit(i + 2),
          0xDC00...0xDFFF ~= low
        {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
          i += 6
        }
        out.append(contentsOf: Array(String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8))
      case let other: out.append(other)
      }
      i += 2
    }
    return String(decoding: out, as: UTF8.self)
  }
}
