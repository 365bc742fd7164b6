/// A document of a client, kept byte for byte as it came.
package struct RawJSON: Hashable, Sendable {
  package let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }
}
