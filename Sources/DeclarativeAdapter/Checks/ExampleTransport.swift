internal import AdapterKit
internal import JSON
internal import OrderedCollections
internal import Synchronization

/// Answers with an example's recorded exchanges, in their order, and complains about requests that were not recorded.
final class ExampleTransport: HTTPTransport {
  static let base = "http://engine.example"

  private let left: Mutex<[AdapterFile.Example.Answer]>
  private let faults = Mutex<[(Place?, String)]>([])

  init(_ answers: [AdapterFile.Example.Answer]) { left = Mutex(answers) }

  /// Requests that came otherwise than recorded, and answers that nobody asked for.
  var complaints: [(Place?, String)] {
    faults.withLock { $0 } + left.withLock { $0 }.map { ($0.place, "the request '\($0.request)' was not made") }
  }

  func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse { try answer(request) }

  func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    let response = try answer(request)
    let body = Mutex<[UInt8]?>(response.body)
    return TransportStream(
      status: response.status, headers: response.headers,
      next: { () async throws(TransportError) in
        body.withLock { body in
          defer { body = nil }
          return body
        }
      }, cancel: {})
  }

  private func answer(_ request: TransportRequest) throws(TransportError) -> TransportResponse {
    let path = request.url.hasPrefix(Self.base) ? String(request.url.dropFirst(Self.base.count)) : request.url
    let line = "\(request.method) \(path)"
    let next = left.withLock { left -> AdapterFile.Example.Answer? in left.isEmpty ? nil : left.removeFirst() }
    guard let next else { throw refuse(nil, "makes a request that is not recorded: \(line)") }
    guard next.request == line else { throw refuse(next.place, "expected the request '\(next.request)', got '\(line)'") }
    if let wanted = next.sent {
      let sent =
        request.body.flatMap { try? JSONValue(parsing: $0) } ?? request.body.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null
      if let difference = difference(wanted, sent, at: "body") { throw refuse(next.place, "sent another \(difference)") }
    }
    return TransportResponse(status: next.status, headers: next.headers, body: next.body)
  }

  private func refuse(_ place: Place?, _ message: String) -> TransportError {
    faults.withLock { $0.append((place, message)) }
    return TransportError(.invalidRequest, message, mayHaveBeenSent: false)
  }
}

/// Where `value` lacks what `wanted` names; members and elements beyond are no difference, but for lists, which must be as long.
func difference(_ wanted: JSONValue, _ value: JSONValue, at path: String) -> String? {
  switch (wanted, value) {
  case (.object(let wanted), .object(let members)):
    for (name, inner) in wanted {
      guard let member = members[name] else {
        if inner.isNull { continue }
        return "\(path).\(name): is missing"
      }
      if let found = difference(inner, member, at: "\(path).\(name)") { return found }
    }
    return nil
  case (.array(let wanted), .array(let elements)) where wanted.count == elements.count:
    for (index, inner) in wanted.enumerated() {
      if let found = difference(inner, elements[index], at: "\(path)[\(index)]") { return found }
    }
    return nil
  default: return wanted == value ? nil : "\(path): expected \(wanted.text.prefix(300)), got \(value.text.prefix(300))"
  }
}
