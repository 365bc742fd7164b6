internal import HTTPMessage
internal import KubeWire
internal import Synchronization

/// `/healthz`, `/livez` and `/readyz` (kubernetes-wire H1 to H3). Why a check fails is never said: the paths are open to everybody.
package final class HealthChecks: Sendable {
  package struct Check: Sendable {
    package var name: String
    package var passes: @Sendable () -> Bool

    package init(_ name: String, _ passes: @escaping @Sendable () -> Bool) {
      self.name = name
      self.passes = passes
    }
  }

  private let live: [Check]
  private let ready: [Check]
  private let isDraining = Mutex(false)

  /// - Parameter ready: what readiness needs beside being alive. Liveness must not depend on an engine.
  package init(ready: [Check]) {
    live = [Check("ping") { true }]
    self.ready = ready
  }

  /// Makes `/readyz` fail, before the listener closes.
  package func drain() { isDraining.withLock { $0 = true } }

  static func isHealthPath(_ path: String) -> Bool {
    ["/healthz", "/livez", "/readyz"].contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  /// - Throws: 404 for a check that there is not.
  func response(_ path: String, query: QueryParameters) throws(StatusError) -> HTTPResponse {
    let parts = path.dropFirst().split(separator: "/", maxSplits: 1).map(String.init)
    let endpoint = parts[0]
    let checks = self.checks(of: endpoint)
    if parts.count > 1 {
      guard let check = checks.first(where: { $0.name == parts[1] }) else { throw .unknownPath }
      return check.passes() ? .text("ok") : .text("internal server error: check failed: reason withheld\n", status: 500)
    }
    // Anybody may ask, with a megabyte of them.
    let excluded = query.all("exclude").prefix(32)
    var lines = ""
    var failed = false
    for check in checks {
      if excluded.contains(check.name) {
        lines += "[+]\(check.name) excluded: ok\n"
      } else if check.passes() {
        lines += "[+]\(check.name) ok\n"
      } else {
        failed = true
        lines += "[-]\(check.name) failed: reason withheld\n"
      }
    }
    let unknown = excluded.filter { name in !checks.contains { $0.name == name } }
    if !unknown.isEmpty {
      lines += "warn: some health checks cannot be excluded: no matches for \(unknown.map(GoText.quoted).joined(separator: ","))\n"
    }
    if failed { return .text(lines + "\(endpoint) check failed\n", status: 500) }
    return query["verbose"] != nil ? .text(lines + "\(endpoint) check passed\n") : .text("ok")
  }

  private func checks(of endpoint: String) -> [Check] {
    guard endpoint == "readyz" else { return live }
    return live + ready + [Check("shutdown") { [self] in !isDraining.withLock { $0 } }]
  }
}
