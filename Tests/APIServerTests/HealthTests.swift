import HTTPMessage
import KubeWire
import Testing

@testable import APIServer

@Suite struct HealthTests {
  private func get(_ health: HealthChecks, _ path: String, _ query: String = "") throws -> (Int, String) {
    let response = try health.response(path, query: QueryParameters(query))
    guard case .bytes(let bytes) = response.body else { return (response.status, "") }
    #expect(response.headers["Content-Type"] == "text/plain; charset=utf-8")
    return (response.status, bytes.text)
  }

  @Test("H1: ok without a line feed") func good() throws {
    let health = HealthChecks(ready: [])
    for path in ["/healthz", "/livez", "/readyz", "/readyz/ping"] { #expect(try get(health, path) == (200, "ok")) }
  }

  @Test("H1, H3: readiness fails without a reason, liveness does not") func bad() throws {
    let health = HealthChecks(ready: [.init("gateway") { false }])
    #expect(try get(health, "/readyz") == (500, "[+]ping ok\n[-]gateway failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n"))
    #expect(try get(health, "/livez") == (200, "ok"))
    #expect(try get(health, "/readyz/gateway").0 == 500)
    #expect(try get(health, "/readyz", "exclude=gateway") == (200, "ok"))
  }

  @Test("H2: verbose, exclude, unknown checks") func verbose() throws {
    let health = HealthChecks(ready: [])
    #expect(try get(health, "/readyz", "verbose") == (200, "[+]ping ok\n[+]shutdown ok\nreadyz check passed\n"))
    #expect(
      try get(health, "/livez", "verbose&exclude=etcd").1
        == "[+]ping ok\nwarn: some health checks cannot be excluded: no matches for \"etcd\"\nlivez check passed\n")
    #expect(throws: StatusError.self) { try health.response("/livez/etcd", query: [:]) }
  }

  @Test("H3: draining") func drain() throws {
    let health = HealthChecks(ready: [])
    health.drain()
    #expect(try get(health, "/readyz").0 == 500)
    #expect(try get(health, "/healthz").0 == 200)
  }
}
