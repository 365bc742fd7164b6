internal import Certificates
internal import JSON

private let hexDigits = Array("0123456789ABCDEF".utf8)

/// RFC 3986: everything but unreserved characters as %XX, fit for a path segment and for a query.
func percentEncoded(_ text: String) -> String {
  var out: [UInt8] = []
  out.reserveCapacity(text.utf8.count + 8)
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
    default: out += [0x25, hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
    }
  }
  return String(decoding: out, as: UTF8.self)
}

/// A value as one segment of a path. `.` and `..` would walk: their points are encoded, and an engine that decodes first refuses them.
func pathSegment(_ text: String) -> String? {
  if text.isEmpty || text == "." || text == ".." { return nil }
  return percentEncoded(text)
}

/// A legal DNS-1123 label made of any text: lower case, other characters become `-`, at most 63 characters, and where anything was altered a
/// short digest of the original at the end, so that different texts stay different.
func dns1123(_ text: String) -> String {
  var out: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x61...0x7A: out.append(byte)
    case 0x41...0x5A: out.append(byte | 0x20)
    default: if out.last != 0x2D, !out.isEmpty { out.append(0x2D) }
    }
  }
  while out.last == 0x2D { out.removeLast() }
  if !out.isEmpty, out.count <= 63, out.elementsEqual(text.utf8) { return text }
  let digest = Array(Digest.hex(Digest.sha256(Array(text.utf8))).utf8.prefix(8))
  if out.count > 54 { out = Array(out.prefix(54)) }
  while out.last == 0x2D { out.removeLast() }
  return String(decoding: out.isEmpty ? digest : out + [0x2D] + digest, as: UTF8.self)
}

extension Timestamp {
  /// `Sun, 22 Nov 2026 19:07:13 GMT` (RFC 9110, the form that servers send); nil for anything else.
  init?(httpDate text: String) {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])), parts[1].utf8.count == 2,
      parts[3].utf8.count == 4
    else { return nil }
    self.init("\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
  }
}
