import Glibc

/// Tells addresses that only this machine can reach.
package enum LoopbackAddress {
  /// True for 127.0.0.0/8, ::1, the former's IPv6-mapped form, and the name "localhost". Any other name is false: it is not looked up.
  package static func contains(_ host: String) -> Bool {
    let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, bare, &bytes) == 1 { return bytes[0] == 127 }
    guard inet_pton(AF_INET6, bare, &bytes) == 1 else { return bare.lowercased() == "localhost" }
    guard bytes[..<10].allSatisfy({ $0 == 0 }) else { return false }
    let isOne = bytes[10..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    let isMapped = bytes[10] == 0xFF && bytes[11] == 0xFF && bytes[12] == 127
    return isOne || isMapped
  }
}
