/// What is wrong with an expression, or why its evaluation ended without a value.
///
/// Errors of parsing and checking always have a place; errors of evaluation have the place of the operation that failed.
public struct CELError: Error, Sendable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// The text is not an expression.
    case parse
    /// The expression names something that does not exist, or its types cannot fit.
    case check
    /// The values did not fit at run time: a missing key, an overflow, a division by zero …
    case evaluation
    /// The evaluation would have cost more than allowed.
    case costExceeded
  }

  /// One word instead of five, so that a typed throw passes it in a register.
  private final class Storage: Sendable {
    let parts: Parts
    init(_ parts: Parts) { self.parts = parts }
  }

  private struct Parts {
    var kind: Kind
    var message: String
    /// Bytes from the start of the source.
    var offset: Int?
    var line = 0
    var column = 0
    var snippet = ""
    var path: String?
  }

  private var storage: Storage

  /// An error of evaluation, for functions of the host.
  public init(_ message: String) { storage = Storage(Parts(kind: .evaluation, message: message)) }

  init(_ kind: Kind, _ message: String, at offset: Int? = nil) { storage = Storage(Parts(kind: kind, message: message, offset: offset)) }

  public var kind: Kind { storage.parts.kind }
  /// One sentence without the place.
  public var message: String { storage.parts.message }
  /// From 1; 0 when there is no place.
  public var line: Int { storage.parts.line }
  /// In characters, from 1; 0 when there is no place.
  public var column: Int { storage.parts.column }
  /// The line of the source and below it a caret under the offending piece; empty when there is no place.
  public var snippet: String { storage.parts.snippet }
  /// In a template the JSON path of the offending string, such as `$.metadata.labels["app"]`; else nil.
  public var path: String? { storage.parts.path }

  var offset: Int? { storage.parts.offset }

  private func changed(_ change: (inout Parts) -> Void) -> CELError {
    var parts = storage.parts
    change(&parts)
    var error = self
    error.storage = Storage(parts)
    return error
  }

  /// The same error at a place, unless it has one.
  func at(_ offset: Int) -> CELError {
    storage.parts.offset == nil ? changed { $0.offset = offset } : self
  }

  /// The same error with line, column and snippet out of the source it belongs to.
  func located(in source: String) -> CELError {
    guard let offset, line == 0 else { return self }
    let bytes = Array(source.utf8)
    let end = min(max(offset, 0), bytes.count)
    let start = bytes[..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let stop = bytes[end...].firstIndex(of: 0x0A) ?? bytes.count
    let before = Array(String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars)
    // A long line is cut to what is around the place.
    var text = String.UnicodeScalarView(before.suffix(80))
    text.append(contentsOf: String(decoding: bytes[end..<stop], as: UTF8.self).unicodeScalars.prefix(80))
    return changed {
      $0.line = bytes[..<start].count { $0 == 0x0A } + 1
      $0.column = before.count + 1
      $0.snippet = "\(String(text))\n\(String(repeating: " ", count: min(before.count, 80)))^"
    }
  }

  func inside(path: String) -> CELError {
    self.path == nil ? changed { $0.path = path } : self
  }

  public var description: String {
    var out = ""
    if let path { out += "\(path): " }
    if line > 0 { out += "line \(line), column \(column): " }
    out += message
    if !snippet.isEmpty { out += "\n\(snippet)" }
    return out
  }
}
