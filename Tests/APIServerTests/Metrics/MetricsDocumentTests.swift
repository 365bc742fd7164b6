import Foundation
import Testing

@testable import APIServer

/// docs/metrics.md lists what there is, no more and no less.
@Suite struct MetricsDocumentTests {
  @Test("the table in docs/metrics.md is that of the code") func table() throws {
    let metrics = ServerMetrics()
    _ = TestServer(metrics: metrics)
    metrics.addHandshakeErrors { 0 }
    let wanted = metrics.descriptions.map { metric in
      "| `\(metric.name)` | \(metric.kind.rawValue) | \(metric.labels.map { "`\($0)`" }.joined(separator: ", ")) | \(metric.help) |"
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
    let found = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") }
    #expect(found.sorted() == wanted.sorted(), "docs/metrics.md should have:\n\(wanted.joined(separator: "\n"))")
  }

  @Test("names and labels are legal") func legal() {
    let metrics = ServerMetrics()
    _ = TestServer(metrics: metrics)
    for metric in metrics.descriptions {
      #expect(metric.kind == .counter || !metric.name.hasSuffix("_total"), "\(metric.name)")
      #expect(metric.help.hasSuffix(".") && !metric.labels.contains("le"), "\(metric.name)")
    }
    let names = metrics.descriptions.map(\.name)
    #expect(Set(names).count == names.count)
  }
}
