import AdapterKit
import CurlTransport
import JSON
import KubeWire
import Synchronization

/// ``KubeAPI`` over libcurl. Token, CA and certificate files are looked at again at most every 10 s, and at once after a 401, so that
/// rotation needs no restart; what cannot be read leaves the last good content in use. A watch on which the cluster has gone silent ends with an
/// error within a minute (``ClusterLink``).
package final class CurlKubeClient: KubeAPI {
  private struct Material: Hashable {
    var authority: [UInt8]?
    var certificate: [UInt8]?
    var key: [UInt8]?
  }
  private struct State {
    var material: Material?
    var link: ClusterLink?
    var token: String?
    var checked: ContinuousClock.Instant?
  }

  private let access: ClusterAccess
  private let environment: [String: String]
  private let userAgent: String
  private let makeTransport: @Sendable (CurlConfiguration) -> any HTTPTransport
  private let now: @Sendable () -> ContinuousClock.Instant
  private let sleep: @Sendable (Duration) async throws -> Void
  private let limits: ClusterLink.Limits
  private let state = Mutex(State())

  /// - Parameter environment: for its proxy variables.
  package convenience init(_ access: ClusterAccess, environment: [String: String] = [:], userAgent: String = "workflow-apiserver") {
    self.init(access, environment: environment, userAgent: userAgent, makeTransport: { CurlTransport($0) }, now: { ContinuousClock.now })
  }

  /// For tests.
  init(
    _ access: ClusterAccess, environment: [String: String], userAgent: String,
    makeTransport: @escaping @Sendable (CurlConfiguration) -> any HTTPTransport, now: @escaping @Sendable () -> ContinuousClock.Instant,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    limits: ClusterLink.Limits = ClusterLink.Limits()
  ) {
    self.access = access
    self.environment = environment
    self.userAgent = userAgent
    self.makeTransport = makeTransport
    self.now = now
    self.sleep = sleep
    self.limits = limits
  }

  package func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer {
    var (link, token) = try current()
    var answer = try await send(request, link, token)
    if answer.status == 401, case let (other, newer) = try current(afresh: true), newer != token {
      (link, token) = (other, newer)
      answer = try await send(request, link, token)
    }
    guard (200..<300).contains(answer.status) else {
      throw .status(StatusError(status: answer.status, retryAfter: answer.header("Retry-After"), body: answer.body))
    }
    do {
      return KubeAnswer(code: answer.status, body: try JSONValue(parsing: answer.body))
    } catch {
      throw .malformed("\(request.method) \(request.path) at \(access.server): the answer is not JSON")
    }
  }

  package func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<
    KubeEvent, any Error
  > {
    let request = KubeRequest("GET", path, query: query + [("watch", "true")], timeout: .seconds(30))
    let (link, token) = try current()
    var sent = wireRequest(request, token)
    sent.maximumResponseBytes = .max
    let stream: TransportStream
    do {
      stream = try await link.transport.stream(sent)
    } catch {
      throw unreachable(error)
    }
    link.noteLife()
    guard (200..<300).contains(stream.status) else {
      if stream.status == 401 { _ = try? current(afresh: true) }
      throw .status(await refusal(stream))
    }
    // The transport ends its transfers when it goes, so the stream holds on to it, also after a rotation.
    let reader = WatchReader(stream, link, what: "watch \(path) at \(access.server)")
    // Everybody may ask for the version; a refusal would do as well.
    let question = wireRequest(KubeRequest("GET", "/version"), token)
    reader.end(after: Self.lifetime(query)) { timeout in
      var question = question
      question.timeout = timeout
      return question
    }
    return AsyncThrowingStream { try await reader.next() }
  }

  private static func lifetime(_ query: [(name: String, value: String)]) -> Duration? {
    query.first { $0.name == "timeoutSeconds" }.flatMap { Int($0.value) }.map { .seconds($0) }
  }

  private func refusal(_ stream: TransportStream) async -> StatusError {
    var body: [UInt8] = []
    while body.count < 64 << 10, let piece = try? await stream.next() { body += piece }
    stream.cancel()
    let retryAfter = stream.headers.first { $0.name.lowercased() == "retry-after" }?.value
    return StatusError(status: stream.status, retryAfter: retryAfter, body: body)
  }

  private func send(_ request: KubeRequest, _ link: ClusterLink, _ token: String?) async throws(KubeError) -> TransportResponse {
    do {
      let answer = try await link.transport.send(wireRequest(request, token))
      link.noteLife()
      return answer
    } catch {
      throw unreachable(error)
    }
  }

  private func unreachable(_ error: TransportError) -> KubeError {
    .unreachable("cannot reach the cluster at \(access.server): \(error.message)")
  }

  private func wireRequest(_ request: KubeRequest, _ token: String?) -> TransportRequest {
    var url = access.server + request.path
    for (index, item) in request.query.enumerated() {
      url += (index == 0 ? "?" : "&") + PercentEncoding.encoded(item.name) + "=" + PercentEncoding.encoded(item.value)
    }
    var headers = [(name: "Accept", value: "application/json")]
    if let token { headers.append(("Authorization", "Bearer \(token)")) }
    if request.body != nil { headers.append(("Content-Type", request.contentType)) }
    return TransportRequest(method: request.method, url: url, headers: headers, body: request.body?.encoded, timeout: request.timeout)
  }

  /// The link and token to use now.
  private func current(afresh: Bool = false) throws(KubeError) -> (ClusterLink, String?) {
    let now = now()
    let result = state.withLock { state -> Result<(ClusterLink, String?), KubeError> in
      if !afresh, let link = state.link, let checked = state.checked, checked.duration(to: now) < .seconds(10) {
        return .success((link, state.token))
      }
      do throws(KubeError) {
        let material = Material(
          authority: try read(access.authority, state.material?.authority, "certificate authority"),
          certificate: try read(access.clientCertificate, state.material?.certificate, "client certificate"),
          key: try read(access.clientKey, state.material?.key, "client key"))
        state.token = try token(previous: state.token)
        let link =
          state.link.flatMap { material == state.material ? $0 : nil }
          ?? ClusterLink(makeTransport(curl(material)), limits: limits, now: self.now, sleep: sleep)
        (state.material, state.link, state.checked) = (material, link, now)
        return .success((link, state.token))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func read(_ source: ClusterAccess.PEMSource?, _ previous: [UInt8]?, _ what: String) throws(KubeError) -> [UInt8]? {
    switch source {
    case nil: return nil
    case .data(let bytes): return bytes
    case .file(let path):
      guard let bytes = SmallFile.read(path).flatMap({ $0.isEmpty ? nil : $0 }) ?? previous else {
        throw .unreachable("\(what) \(path) of \(access.origin) cannot be read or is empty")
      }
      return bytes
    }
  }

  private func token(previous: String?) throws(KubeError) -> String? {
    switch access.token {
    case nil: return nil
    case .text(let text): return text
    case .file(let path):
      let text = SmallFile.read(path).map { String(decoding: $0, as: UTF8.self).trimmed }
      guard let token = text.flatMap({ $0.isEmpty ? nil : $0 }) ?? previous else {
        throw .unreachable("the token \(path) of \(access.origin) cannot be read or is empty")
      }
      return token
    }
  }

  private func curl(_ material: Material) -> CurlConfiguration {
    var curl = CurlConfiguration(environment: environment)
    curl.caPEM = material.authority
    curl.clientCertificatePEM = material.certificate
    curl.clientKeyPEM = material.key
    curl.tlsServerName = access.tlsServerName
    curl.insecureSkipVerify = access.insecureSkipVerify
    curl.proxy = access.proxy
    // Over HTTP/1.1 every watch holds one.
    curl.maxConnectionsPerHost = 64
    curl.userAgent = userAgent
    return curl
  }
}

extension String {
  fileprivate var trimmed: String {
    var text = self[...]
    while let last = text.unicodeScalars.last, last.properties.isWhitespace { text.unicodeScalars.removeLast() }
    while let first = text.unicodeScalars.first, first.properties.isWhitespace { text.unicodeScalars.removeFirst() }
    return String(text)
  }
}
