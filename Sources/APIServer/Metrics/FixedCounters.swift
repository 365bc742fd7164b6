/// A counter with one label whose values are known from the start: for what every request counts.
package final class FixedCounters: MetricSource {
  package let descriptions: [MetricDescription]
  private let labels: [String]
  private let cells: AtomicCells

  /// - Parameter values: of the label; one nameless counter when there is no label.
  init(_ name: String, label: String? = nil, values: [String] = [""], _ help: String) {
    descriptions = [MetricDescription(name, .counter, labels: label.map { [$0] } ?? [], help)]
    labels = values.map { value in label.map { MetricsText.labels([$0], [value]) } ?? "" }
    cells = AtomicCells(values.count)
  }

  func add(_ amount: UInt64 = 1, at index: Int = 0) { cells.add(amount, at: index) }

  subscript(_ index: Int) -> UInt64 { cells[index] }

  package func write(to text: inout MetricsText) {
    text.family(descriptions[0])
    for (index, label) in labels.enumerated() { text.sample(label, cells[index]) }
  }
}
