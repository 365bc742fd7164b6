/// Writes the protobuf wire format (proto3): fields whose value is the default are left out.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func string(_ field: Int, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    length(field, Array(value.utf8))
  }

  mutating func bool(_ field: Int, _ value: Bool?) {
    guard value == true else { return }
    tag(field, 0)
    varint(1)
  }

  mutating func int(_ field: Int, _ value: Int64?) {
    guard let value, value != 0 else { return }
    tag(field, 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func double(_ field: Int, _ value: Double?) {
    guard let value, value != 0 else { return }
    tag(field, 1)
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift))) }
  }

  /// A message inside; written also when it is empty, since its presence tells.
  mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    write(&inner)
    length(field, inner.bytes)
  }

  private mutating func length(_ field: Int, _ content: [UInt8]) {
    tag(field, 2)
    varint(UInt64(content.count))
    bytes += content
  }

  private mutating func tag(_ field: Int, _ type: UInt64) { varint(UInt64(field) << 3 | type) }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
