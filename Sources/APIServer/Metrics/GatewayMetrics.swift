internal import AdapterKit
internal import JSON
internal import KubeWire
internal import Translation

/// What the gateway knows of its engines, read at each scrape.
struct GatewayMetrics: MetricSource {
  let gateway: Gateway
  let group: String
  let clock: any TimeSource

  let descriptions = [
    MetricDescription("apiserver_resource_objects", .gauge, labels: ["group", "resource"], "Objects that are served, by kind."),
    MetricDescription(
      "apiserver_storage_objects", .gauge, labels: ["resource"],
      "Objects that are served, by kind; the older name of apiserver_resource_objects."),
    MetricDescription(
      "workflow_apiserver_binding_last_sweep_age_seconds", .gauge, labels: ["binding", "backend"],
      "Time since the engine was last read completely, in seconds; absent before the first time."),
    MetricDescription(
      "workflow_apiserver_binding_runs", .gauge, labels: ["binding", "phase"], "Runs that are known of a binding, by phase."),
    MetricDescription(
      "workflow_apiserver_binding_synced", .gauge, labels: ["binding", "backend"],
      "1 when the last reading of the engine was complete and nothing is held back, else 0."),
    MetricDescription(
      "workflow_apiserver_leaving_runs", .gauge, "Runs of namespaces that are being deleted whose cancel is still owed to their engine."),
    MetricDescription(
      "workflow_apiserver_submissions_in_doubt", .gauge, "Creates whose answer was lost and that are still being looked up."),
  ]

  func write(to text: inout MetricsText) {
    let counts = gateway.objectCounts.sorted { $0.key.rawValue < $1.key.rawValue }
    family(0, &text, counts.map { ([group, $0.key.rawValue], Double($0.value)) })
    family(1, &text, counts.map { (["\($0.key.rawValue).\(group)"], Double($0.value)) })
    let reports = gateway.bindingReports
    let now = clock.now
    family(
      2, &text,
      reports.compactMap { report in
        report.lastSweep.map { ([report.name, report.backend], Double((now - $0).inMicroseconds) / 1_000_000) }
      })
    family(
      3, &text,
      reports.flatMap { report in
        (RunPhase.allCases.map { Optional($0) } + [nil]).map { ([report.name, $0?.rawValue ?? "Unknown"], Double(report.runs[$0] ?? 0)) }
      })
    family(4, &text, reports.map { ([$0.name, $0.backend], $0.isSynced ? 1 : 0) })
    family(5, &text, [([], Double(gateway.leavingRuns))])
    family(6, &text, [([], Double(gateway.submissionsInDoubt))])
  }

  private func family(_ number: Int, _ text: inout MetricsText, _ samples: [(labels: [String], value: Double)]) {
    text.family(descriptions[number])
    for sample in samples { text.sample(MetricsText.labels(descriptions[number].labels, sample.labels), sample.value) }
  }
}
