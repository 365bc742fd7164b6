import AdapterKit
import CurlTransport
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ProxyTests {
  @Test func aProxyOfTheEnvironmentIsAsked() async throws {
    let proxy = try StubEngine { StubAnswer(200, text: $0.target) }
    defer { proxy.stop() }
    let transport = CurlTransport(CurlConfiguration(environment: ["HTTP_PROXY": proxy.url, "NO_PROXY": "direct.invalid"]))
    defer { transport.shutdown() }
    let answer = try await transport.send(TransportRequest(method: "GET", url: "http://engine.invalid/x"))
    #expect(answer.body == Array("http://engine.invalid/x".utf8))
    let direct = await failure { try await transport.send(TransportRequest(method: "GET", url: "http://direct.invalid/x")) }
    #expect(direct?.code == .resolve)
    #expect(proxy.requests.count == 1)
  }

  @Test func theConfigurationWins() async throws {
    let proxy = try StubEngine { StubAnswer(200, text: $0.target) }
    defer { proxy.stop() }
    let engine = try StubEngine { _ in StubAnswer(200, text: "engine") }
    defer { engine.stop() }
    var configuration = CurlConfiguration(environment: ["http_proxy": proxy.url])
    configuration.proxy = ""
    let transport = CurlTransport(configuration)
    defer { transport.shutdown() }
    #expect(try await transport.send(TransportRequest(method: "GET", url: engine.url + "/")).body == Array("engine".utf8))
    #expect(proxy.requests.isEmpty)
  }

  @Test func httpsGoesThroughATunnelAndARefusedTunnelSentNothing() async throws {
    let proxy = try StubEngine { _ in StubAnswer(403, text: "not you") }
    defer { proxy.stop() }
    let transport = CurlTransport(CurlConfiguration(environment: ["https_proxy": proxy.url]))
    defer { transport.shutdown() }
    let error = await failure { try await transport.send(TransportRequest(method: "POST", url: "https://engine.invalid/x", body: [1])) }
    #expect(error?.code == .connect)
    #expect(error?.mayHaveBeenSent == false)
    #expect(proxy.requests.map(\.method) == ["CONNECT"])
  }

  @Test func variables() {
    let both = ProxyEnvironment([
      "http_proxy": "a", "HTTP_PROXY": "b", "HTTPS_PROXY": "c", "no_proxy": "", "NO_PROXY": "d", "ALL_PROXY": "e",
    ])
    #expect(both.http == "a")
    #expect(both.https == "c")
    #expect(both.direct == "d")
    #expect(both.all == "e")
    #expect(ProxyEnvironment(["HTTP_PROXY": "b", "REQUEST_METHOD": "GET"]).http == nil)
    #expect(CurlConfiguration(environment: ["SSL_CERT_FILE": "x"]).caFile == "x")
  }
}
