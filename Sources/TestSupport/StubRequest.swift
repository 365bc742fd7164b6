/// A request as the stub engine read it.
package struct StubRequest: Sendable {
  package var method: String
  /// As sent: path and query.
  package var target: String
  /// In order; names as sent.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Which connection it came on, counted from 1.
  package var connection: Int

  /// The target up to the question mark, as sent.
  package var path: String { String(target.prefix { $0 != "?" }) }
  /// Names and values of the query, percent-decoded, in order.
  package var query: [(name: String, value: String)] {
    guard let mark = target.firstIndex(of: "?") else { return [] }
    return target[target.index(after: mark)...].split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { percentDecoded($0) }
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }
  package var text: String { String(decoding: body, as: UTF8.self) }

  /// The first header of that name, compared without case.
  package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
  /// The first query parameter of that name.
  package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

  package init(method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [], connection: Int = 1) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.connection = connection
  }
}

private func percentDecoded(_ text: Substring) -> String {
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    if byte == 0x25, rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
      bytes.append(value)
      rest = rest.dropFirst(2)
    } else {
      bytes.append(byte == 0x2B ? 0x20 : byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
