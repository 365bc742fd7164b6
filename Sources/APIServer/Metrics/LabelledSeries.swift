internal import Synchronization

/// Series by the values of their labels, for what happens rarely enough to take a lock. Bounded: beyond the limit, everything new counts under `other`.
final class LabelledSeries<Series: Sendable>: Sendable {
  private let names: [String]
  private let limit: Int
  private let make: @Sendable () -> Series
  private let known = Mutex<[[String]: Series]>([:])

  init(_ names: [String], limit: Int = 512, make: @escaping @Sendable () -> Series) {
    self.names = names
    self.limit = limit
    self.make = make
  }

  subscript(_ values: [String]) -> Series {
    known.withLock { known in
      if let series = known[values] { return series }
      let key = known.count < limit ? values : [String](repeating: "other", count: names.count)
      if let series = known[key] { return series }
      let series = make()
      known[key] = series
      return series
    }
  }

  /// With their labels as text, in a stable order.
  var all: [(labels: String, series: Series)] {
    known.withLock { $0.map { (MetricsText.labels(names, $0.key), $0.value) } }.sorted { $0.0 < $1.0 }
  }
}

/// A counter whose label values come up as they come.
package final class LabelledCounter: MetricSource {
  package let descriptions: [MetricDescription]
  private let series: LabelledSeries<AtomicCells>

  package init(_ name: String, labels: [String], _ help: String) {
    descriptions = [MetricDescription(name, .counter, labels: labels, help)]
    series = LabelledSeries(labels) { AtomicCells(1) }
  }

  package func add(_ values: String..., by amount: Int = 1) { series[values].add(UInt64(max(0, amount)), at: 0) }

  package func write(to text: inout MetricsText) {
    text.family(descriptions[0])
    for (labels, cells) in series.all { text.sample(labels, cells[0]) }
  }
}
