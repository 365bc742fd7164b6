struct Token {
  enum Kind: Equatable {
    case ident(String)
    /// An identifier in backticks.
    case quoted(String)
    /// The magnitude; nil when it does not fit 64 bits.
    case int(UInt64?)
    case uint(UInt64?)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// An operator, a bracket, a comma, or one of the words true, false, null, in.
    case symbol(String)
    case end
  }

  let kind: Kind
  /// Bytes from the start of the source.
  let offset: Int
  let end: Int

  /// As error messages say it.
  var text: String {
    switch kind {
    case .ident(let name): "'\(name)'"
    case .quoted(let name): "'`\(name)`'"
    case .int, .uint, .double: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end of the expression"
    }
  }
}
