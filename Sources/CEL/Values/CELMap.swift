internal import JSON
public import OrderedCollections

/// An immutable map; entries keep their order.
public final class CELMap: Sendable {
  public typealias Entries = OrderedDictionary<CELKey, CELValue>

  public let entries: Entries

  public init(_ entries: Entries) { self.entries = entries }

  /// The last of repeated names counts.
  init(_ object: JSONView) {
    var entries = Entries(minimumCapacity: object.count)
    for (name, member) in object.members { entries[.string(name)] = CELValue(member) }
    self.entries = entries
  }
}

/// What a map may have as key. Numbers of different types are one key when they are equal; strings are equal byte for byte.
public enum CELKey: Sendable, Hashable {
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case string(String)

  /// nil for a value that cannot be a key. A double is the integer it equals.
  init?(_ value: CELValue) {
    switch value {
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = .uint(value)
    case .string(let value): self = .string(value)
    case .json(let view):
      guard let string = view.string else { return nil }
      self = .string(string)
    default: return nil
    }
  }

  /// The key a lookup means: as ``init(_:)``, and a double finds the integer it equals.
  init?(lookup value: CELValue) {
    if case .double(let double) = value {
      if let int = Int64(exactly: double) {
        self = .int(int)
      } else if let uint = UInt64(exactly: double) {
        self = .uint(uint)
      } else {
        return nil
      }
      return
    }
    self.init(value)
  }

  public var value: CELValue {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .string(let value): .string(value)
    }
  }

  public static func == (a: CELKey, b: CELKey) -> Bool {
    switch (a, b) {
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.uint(let a), .uint(let b)): a == b
    case (.int(let a), .uint(let b)): a >= 0 && UInt64(a) == b
    case (.uint(let a), .int(let b)): b >= 0 && UInt64(b) == a
    case (.string(let a), .string(let b)): sameText(a, b)
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(UInt64(bitPattern: value))
    case .uint(let value): hasher.combine(value)
    case .string(var value): value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
}
