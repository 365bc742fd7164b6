internal import Glibc
internal import HTTPMessage

/// From where a request came: what proxies say, then who is at the other end of the connection. All but the last can be made up by the client.
enum SourceAddresses {
  static func of(_ request: HTTPRequest) -> [String] {
    // A chain of proxies is short; a longer one is somebody's invention.
    let forwarded = request.headers.all("X-Forwarded-For").joined(separator: ",").split(separator: ",").suffix(32)
    var addresses = forwarded.compactMap(canonical)
    if let real = request.headers["X-Real-Ip"].flatMap({ canonical($0[...]) }), !addresses.contains(real) { addresses.append(real) }
    if let peer = canonical(host(request.peer.address)), addresses.last != peer { addresses.append(peer) }
    return addresses
  }

  /// `1.2.3.4:5`, `[::1]:5` or an address alone.
  private static func host(_ peer: String) -> Substring {
    if peer.hasPrefix("[") { return peer.dropFirst().prefix { $0 != "]" } }
    return peer.count { $0 == ":" } == 1 ? peer.prefix { $0 != ":" } : peer[...]
  }

  /// nil for what is no IP address.
  private static func canonical(_ text: Substring) -> String? {
    let text = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    var bytes = [UInt8](repeating: 0, count: 16)
    for family in [AF_INET, AF_INET6] where inet_pton(family, text, &bytes) == 1 {
      var buffer = [CChar](repeating: 0, count: 64)
      guard inet_ntop(family, &bytes, &buffer, socklen_t(buffer.count)) != nil else { continue }
      return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return nil
  }
}
