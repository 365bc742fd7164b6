internal import KubeWire
internal import Synchronization

/// The metrics of requests, as kube-apiserver names and labels them (kubernetes-wire §12.2). Counting takes an index and a few atomic additions.
final class RequestMetrics: MetricSource {
  // The buckets of upstream (endpoints/metrics/metrics.go, endpoints/handlers/metrics/metrics.go), which recording rules name one by one.
  static let durationScale = Histogram.Scale.seconds([
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
  ])
  static let sliScale = Histogram.Scale.seconds([
    0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
  ])
  static let responseScale = Histogram.Scale.bytes((3...9).map { (0..<$0).reduce(1.0) { value, _ in value * 10 } })
  static let bodyScale = Histogram.Scale.bytes((0..<31).map { Double(50_000 + $0 * 100_000) })
  static let eventScale = Histogram.Scale.bytes((0..<8).map { Double(1024 << $0) })

  private final class Slot: Sendable {
    let series = AtomicLazyReference<RequestSeries>()
  }

  private final class WatchSeries: Sendable {
    let sizes = Histogram(RequestMetrics.eventScale)
  }

  let targets: MetricTargets
  /// By ``RequestLabels/index``; most stay empty for ever.
  private let slots: [Slot]
  /// By target.
  private let watches: [WatchSeries]

  init(_ targets: MetricTargets) {
    self.targets = targets
    slots = (0..<RequestLabels.tableSize(targets)).map { _ in Slot() }
    watches = targets.all.map { _ in WatchSeries() }
  }

  /// Of one request that was answered to the end.
  struct Outcome {
    var code: Int
    var duration: Duration
    var requestBytes: Int
    var responseBytes: Int
    /// Turned away or ended by us: too many requests, or too late.
    var isTerminated = false
    /// Its answer was broken off after it had begun.
    var isAborted = false
  }

  func record(_ labels: RequestLabels, _ outcome: Outcome) {
    let series = series(labels)
    let place = RequestSeries.place(of: outcome.code)
    series.total.add(at: place)
    series.duration.observe(outcome.duration)
    if outcome.isTerminated { series.terminations.add(at: place) }
    if outcome.isAborted { series.aborts.add(at: place) }
    let base = (labels.dryRun == .none ? series : self.series(labels.base)).base
    if labels.dryRun == .none { base.sli.observe(outcome.duration) }
    switch labels.verb {
    case .get, .list: base.responseSize.observe(bytes: outcome.responseBytes)
    case .post, .put, .patch, .apply, .delete, .deleteCollection: base.bodySize.observe(bytes: outcome.requestBytes)
    case .watch, .connect, .other: break
    }
  }

  func beginLongRunning(_ labels: RequestLabels) {
    let base = series(labels.base).base
    base.hadLongRunning.store(true, ordering: .relaxed)
    base.longRunning.add(1, ordering: .relaxed)
  }

  func endLongRunning(_ labels: RequestLabels) { series(labels.base).base.longRunning.subtract(1, ordering: .relaxed) }

  func recordWatchEvent(_ target: Int, bytes: Int) { watches[target].sizes.observe(bytes: bytes) }

  private func series(_ labels: RequestLabels) -> RequestSeries {
    let slot = slots[labels.index]
    return slot.series.load() ?? slot.series.storeIfNil(RequestSeries())
  }

  // MARK: The text

  private static let component = ["component"]
  private static let place = ["verb", "group", "version", "resource", "subresource", "scope"]
  private static let full = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope"]

  let descriptions = [
    MetricDescription(
      "apiserver_request_total", .counter, labels: full + component + ["code"],
      "Requests by what they asked for and how they were answered."),
    MetricDescription(
      "apiserver_request_duration_seconds", .histogram, labels: full + component,
      "Time to answer a request, in seconds; of a watch, its whole length."),
    MetricDescription(
      "apiserver_request_sli_duration_seconds", .histogram, labels: place + component,
      "Time to answer a request that was no dry run, in seconds."),
    MetricDescription("apiserver_response_sizes", .histogram, labels: place + component, "Size of the answers to reads, in bytes."),
    MetricDescription(
      "apiserver_request_body_size_bytes", .histogram, labels: place + component, "Size of the bodies of writes, in bytes."),
    MetricDescription("apiserver_longrunning_requests", .gauge, labels: place + component, "Watches and logs that are open."),
    MetricDescription(
      "apiserver_request_terminations_total", .counter, labels: full + component + ["code"],
      "Requests that were ended in self-defence: too many at once, or not done in time."),
    MetricDescription(
      "apiserver_request_aborts_total", .counter, labels: full + component + ["code"], "Answers that were broken off after they had begun."),
    MetricDescription("apiserver_watch_events_total", .counter, labels: ["group", "version", "resource"], "Events sent to watchers."),
    MetricDescription(
      "apiserver_watch_events_sizes", .histogram, labels: ["group", "version", "resource"], "Size of the events sent to watchers, in bytes."
    ),
  ]

  func write(to text: inout MetricsText) {
    let live = slots.enumerated().compactMap { index, slot in slot.series.load().map { (RequestLabels(index: index), $0) } }
      .map { labels, series in
        let target = targets.all[labels.target]
        let what = [target.group, target.version, target.resource, target.subresource, labels.scope.text]
        return (
          full: MetricsText.labels(Self.full + Self.component, [labels.verb.text, labels.dryRun.text] + what + ["apiserver"]),
          base: MetricsText.labels(Self.place + Self.component, [labels.verb.text] + what + ["apiserver"]), series: series
        )
      }
    func counters(_ number: Int, _ cells: (RequestSeries) -> AtomicCells) {
      text.family(descriptions[number])
      for entry in live {
        let cells = cells(entry.series)
        for place in 0..<cells.count where cells[place] > 0 {
          text.sample("\(entry.full),code=\"\(RequestSeries.codeTexts[place])\"", cells[place])
        }
      }
    }
    func histograms(_ number: Int, _ labels: (Int) -> String, _ histogram: (RequestSeries) -> Histogram?) {
      text.family(descriptions[number])
      for (index, entry) in live.enumerated() {
        if let histogram = histogram(entry.series), !histogram.isEmpty { text.histogram(labels(index), histogram) }
      }
    }
    counters(0, \.total)
    histograms(1, { live[$0].full }, { $0.duration })
    histograms(2, { live[$0].base }, { $0.knownBase?.sli })
    histograms(3, { live[$0].base }, { $0.knownBase?.responseSize })
    histograms(4, { live[$0].base }, { $0.knownBase?.bodySize })
    text.family(descriptions[5])
    for entry in live {
      guard let base = entry.series.knownBase, base.hadLongRunning.load(ordering: .relaxed) else { continue }
      text.sample(entry.base, base.longRunning.load(ordering: .relaxed))
    }
    counters(6, \.terminations)
    counters(7, \.aborts)
    writeWatches(to: &text)
  }

  private func writeWatches(to text: inout MetricsText) {
    let live = zip(targets.all, watches).filter { !$1.sizes.isEmpty }.map { target, series in
      (labels: MetricsText.labels(["group", "version", "resource"], [target.group, target.version, target.resource]), series.sizes)
    }
    text.family(descriptions[8])
    for (labels, sizes) in live { text.sample(labels, sizes.read().counts.reduce(0, +)) }
    text.family(descriptions[9])
    for (labels, sizes) in live { text.histogram(labels, sizes) }
  }
}
