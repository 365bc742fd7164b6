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
  private(set) var nodes: ContiguousArray<Node>

  /// Parses `input`, which must hold exactly one JSON value (RFC 8259), in UTF-8.
  ///
  /// - Parameters:
  ///   - input: the text; it is copied.
  ///   - limits: depth and size; the defaults suit an engine's answer.
  /// - Throws: ``JSONError`` with the byte offset, line and column of the first mistake.
  public init(_ input: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    guard input.count <= limits.maximumBytes else {
      throw JSONError(reason: "the text has \(input.count) bytes, more than the limit of \(limits.maximumBytes)", offset: 0, line: 1, column: 1)
    }
    // One readable byte after the end lets the parser look at "the next byte" without a bounds check.
    bytes = UnsafeMutableRawPointer.allocate(byteCount: input.count + 1, alignment: 16)
    byteCount = input.count
    if let base = input.baseAddress { bytes.copyMemory(from: base, byteCount: input.count) }
    bytes.storeBytes(of: 0, toByteOffset: input.count, as: UInt8.self)
    nodes = []
    nodes.reserveCapacity(input.count / 12 + 4)
    var parser = JSONParser(bytes: bytes.assumingMemoryBound(to: UInt8.self), count: byteCount, limits: limits)
    try parser.parse(into: &nodes)
  }

  /// Parses an array of bytes; see ``init(_:limits:)``.
  public convenience init(_ input: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    let parsed: Result<Box, JSONError> = input.withUnsafeBytes { raw in
      do throws(JSONError) { return .success(Box(try JSONDocument(raw, limits: limits))) } catch { return .failure(error) }
    }
    self.init(taking: try parsed.get().document)
  }

  /// Parses a string; see ``init(_:limits:)``.
  public convenience init(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(Array(text.utf8), limits: limits)
  }

  private struct Box { let document: JSONDocument; init(_ document: JSONDocument) { self.document = document } }

  private init(taking other: JSONDocument) {
    bytes = UnsafeMutableRawPointer.allocate(byteCount: other.byteCount + 1, alignment: 16)
    bytes.copyMemory(from: other.bytes, byteCount: other.byteCount + 1)
    byteCount = other.byteCount
    nodes = other.nodes
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

  public init(maximumDepth: Int = 128, maximumBytes: Int = 64 << 20) {
    self.maximumDepth = maximumDepth
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
