import AdapterKit
package import CurlTransport
import Synchronization

/// ``WebhookCalling`` over libcurl. Services are reached by their names in the cluster's DNS and never through a proxy.
package final class CurlWebhookCaller: WebhookCalling {
  private struct Trust: Hashable {
    var caBundle: [UInt8]
    var isService: Bool
  }

  private let configuration: CurlConfiguration
  /// Connections are kept for as long as a webhook's CA stays the same; each transport has a thread, so there are few.
  private let transports = Mutex<[(trust: Trust, transport: CurlTransport)]>([])
  private static let maximumTransports = 16
  private static let maximumAnswer = 8 << 20

  /// - Parameter configuration: proxies and the CAs for webhooks without a caBundle.
  package init(_ configuration: CurlConfiguration) {
    var configuration = configuration
    // As kube-apiserver does it. Over HTTP/2 all calls share a connection to one Pod, and all fail when that is lost; and a call that had to wait
    // for a connection would spend its time limit on that, and be given up, or let through, for nothing but load.
    configuration.isHTTP1Only = true
    configuration.maxConnectionsPerHost = 0
    self.configuration = configuration
  }

  package func call(_ call: WebhookCall) async throws(WebhookCallError) -> WebhookAnswer {
    let (scheme, host) = Self.parts(call.url)
    guard scheme == "https" else { throw WebhookCallError("the URL of a webhook must begin with https://") }
    let transport = transport(for: Trust(caBundle: call.caBundle, isService: host.hasSuffix(".svc")))
    let request = TransportRequest(
      method: "POST", url: call.url, headers: [("Content-Type", "application/json"), ("Accept", "application/json, */*")], body: call.body,
      timeout: call.timeout, maximumResponseBytes: Self.maximumAnswer)
    do throws(TransportError) {
      let response = try await transport.send(request)
      return WebhookAnswer(code: response.status, body: response.body)
    } catch {
      // Go's words, which people search for.
      throw WebhookCallError(error.code == .timeout ? "context deadline exceeded" : error.message)
    }
  }

  private static func parts(_ url: String) -> (scheme: String, host: String) {
    guard let colon = url.firstIndex(of: ":") else { return ("", "") }
    let rest = url[colon...].dropFirst().drop { $0 == "/" }
    return (url[..<colon].lowercased(), String(rest.prefix { !"/:?#".contains($0) }))
  }

  private func transport(for trust: Trust) -> CurlTransport {
    transports.withLock { transports in
      if let index = transports.firstIndex(where: { $0.trust == trust }) {
        let entry = transports.remove(at: index)
        transports.append(entry)
        return entry.transport
      }
      var configuration = configuration
      if !trust.caBundle.isEmpty { configuration.caPEM = trust.caBundle }
      if trust.isService { configuration.proxy = "" }
      let transport = CurlTransport(configuration)
      transports.append((trust, transport))
      // Calls under way keep theirs until they end.
      if transports.count > Self.maximumTransports { transports.removeFirst() }
      return transport
    }
  }
}
