/// How often somebody was called over HTTP and how long it took: one counter and one histogram with the same labels.
package final class CallMetrics: MetricSource {
  package let descriptions: [MetricDescription]
  private let total: LabelledSeries<AtomicCells>
  private let duration: LabelledSeries<Histogram>
  private let durationLabels: Int

  /// - Parameters:
  ///   - prefix: of the counter's name, which ends in `_total`.
  ///   - duration: the histogram's name; `prefix` with `_duration_seconds` unless told.
  ///   - labels: ending with the one for the status code.
  ///   - durationHasCode: whether the histogram has the last label too.
  package init(
    _ prefix: String, duration name: String? = nil, labels: [String], durationHasCode: Bool, buckets: [Double], of what: String
  ) {
    let few = durationHasCode ? labels : Array(labels.dropLast())
    descriptions = [
      MetricDescription("\(prefix)_total", .counter, labels: labels, "Number of requests to \(what) by status code."),
      MetricDescription(name ?? "\(prefix)_duration_seconds", .histogram, labels: few, "Time until the answer of \(what), in seconds."),
    ]
    total = LabelledSeries(labels) { AtomicCells(1) }
    duration = LabelledSeries(few) { Histogram(.seconds(buckets)) }
    durationLabels = few.count
  }

  /// - Parameter values: of the labels, the code last.
  package func record(_ values: String..., duration took: Duration) {
    total[values].add(at: 0)
    duration[Array(values.prefix(durationLabels))].observe(took)
  }

  package func write(to text: inout MetricsText) {
    text.family(descriptions[0])
    for (labels, cells) in total.all { text.sample(labels, cells[0]) }
    text.family(descriptions[1])
    for (labels, histogram) in duration.all { text.histogram(labels, histogram) }
  }
}
