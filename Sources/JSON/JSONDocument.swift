#if canImport(Glibc)
  internal import Glibc
#endif

/// One parsed JSON text: its bytes and a flat list of nodes over them, nothing decoded yet.
///
/// A document never changes after `init`, so any thread may read it. Values are read through ``JSONView``, lazily: a field
/// that nobody asks for is never turned into a `String`.
public final class JSONDocument: @unchecked Sendable {
  /// One value. `next` is the index of the node after this whole subtree, so a sibling is one step away.
  struct Node {
    /// Offset of the value's first byte; for strings, of the byte after the quote.
    var start: UInt32
    /// Length in bytes; for strings without the quotes; for containers including the brackets.
    var length: UInt32
    var next: UInt32
    /// Number of elements or members, at most 2^24 - 1, with the tag in the low byte.
    var countAndTag: UInt32

    var tag: Tag { Tag(rawValue: UInt8(truncatingIfNeeded: countAndTag))! }
    var count: Int { Int(countAndTag >> 8) }
  }

  enum Tag: UInt8 {
    case null, `true`, `false`, integer, double, string, escapedString, array, object
  }

  let bytes: UnsafeMutableRawPointer
  let byteCount: Int
  /// Constant, so that reading it needs no check for exclusive access.
  let nodes: ContiguousArray<Node>

  /// Parses `input`, which must hold exactly one JSON value (RFC 8259), in UTF-8.
  ///
  /// - Parameters:
  ///   - input: the text; it is copied.
  ///   - limits: depth and size; the defaults suit an engine's answer.
  /// - Throws: ``JSONError`` with the byte offset, line and column of the first mistake.
  public convenience init(_ input: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(count: input.count, limits: limits) { $0.copyMemory(from: input) }
  }

  /// Parses an array of bytes; see ``init(_:limits:)``.
  public convenience init(_ input: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(count: input.count, limits: limits) { buffer in input.withUnsafeBytes { buffer.copyMemory(from: $0) } }
  }

  /// Parses a string; see ``init(_:limits:)``.
  public convenience init(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    var text = text
    let count = text.utf8.count
    try self.init(count: count, limits: limits) { buffer in text.withUTF8 { buffer.copyMemory(from: UnsafeRawBufferPointer($0)) } }
  }

  private init(count: Int, limits: JSONLimits, fill: (UnsafeMutableRawBufferPointer) -> Void) throws(JSONError) {
    guard count <= limits.maximumBytes else {
      throw JSONError(reason: "the text has \(count) bytes, more than the limit of \(limits.maximumBytes)", offset: 0, line: 1, column: 1)
    }
    // One zero byte after the end lets the parser look at "the next byte" without a bounds check.
    bytes = UnsafeMutableRawPointer.allocate(byteCount: count + 1, alignment: 16)
    byteCount = count
    fill(UnsafeMutableRawBufferPointer(start: bytes, count: count))
    bytes.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
    var nodes: ContiguousArray<Node> = []
    nodes.reserveCapacity(count / 12 + 4)
    var parser = JSONParser(bytes: bytes.assumingMemoryBound(to: UInt8.self), count: byteCount, limits: limits)
    do throws(JSONError) { try parser.parse(into: &nodes) } catch {
      self.nodes = []
      throw error
    }
    self.nodes = nodes
  }

  deinit { bytes.deallocate() }

  /// The document's one value.
  public var root: JSONView { JSONView(document: self, index: 0) }
}

/// What a parser accepts before it gives up.
public struct JSONLimits: Sendable {
  /// Containers inside each other; 128 unless told.
  public var maximumDepth: Int
  /// Bytes of text; 64 MiB unless told. Never above 4 GiB.
  public var maximumBytes: Int
  /// Numbers that are too large for IEEE 754 binary64, such as 1e400, are read as infinite unless this is false: then they are refused.
  public var allowsInfinity: Bool

  public init(maximumDepth: Int = 128, maximumBytes: Int = 64 << 20, allowsInfinity: Bool = true) {
    self.maximumDepth = maximumDepth
    self.allowsInfinity = allowsInfinity
    self.maximumBytes = min(maximumBytes, Int(UInt32.max) - 1)
  }
}

/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  public let reason: String
  /// Bytes from the start.
  public let offset: Int
  /// From 1.
  public let line: Int
  /// In bytes, from 1.
  public let column: Int

  public init(reason: String, offset: Int, line: Int, column: Int) {
    self.reason = reason
    self.offset = offset
    self.line = line
    self.column = column
  }

  public var description: String { "line \(line), column \(column): \(reason)" }
}
