#if canImport(Glibc)
  internal import Glibc
#endif

// CEL strings are sequences of code points; Swift's own `==` and `<` would take canonically equivalent ones for equal.

func sameText(_ a: String, _ b: String) -> Bool {
  let count = a.utf8.count
  guard count == b.utf8.count else { return false }
  let fast = a.utf8.withContiguousStorageIfAvailable { a in
    b.utf8.withContiguousStorageIfAvailable { b in count == 0 || memcmp(a.baseAddress!, b.baseAddress!, count) == 0 }
  }
  if let fast, let fast { return fast }
  return a.utf8.elementsEqual(b.utf8)
}

/// Code point order, which is UTF-8's byte order.
func textPrecedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

func bytesPrecede(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }

/// The offset of the first occurrence at or after `start`; in the worst case as many steps as the product of the lengths.
func find(_ needle: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
  guard !needle.isEmpty else { return start <= text.count ? start : nil }
  guard text.count - start >= needle.count else { return nil }
  let base = text.baseAddress!
  let last = text.count - needle.count
  var at = start
  while at <= last, let next = memchr(base + at, Int32(needle[0]), last - at + 1) {
    at = UnsafeRawPointer(next) - UnsafeRawPointer(base)
    if memcmp(base + at, needle.baseAddress!, needle.count) == 0 { return at }
    at += 1
  }
  return nil
}

extension String {
  /// The text's UTF-8, without a copy where the text is stored so.
  @inline(__always)
  func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    var copy = self
    return copy.withUTF8(body)
  }

  /// Code points.
  var scalarCount: Int { withBytes { bytes in bytes.reduce(into: 0) { count, byte in if byte & 0xC0 != 0x80 { count += 1 } } } }
}
