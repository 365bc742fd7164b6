/// What one metric family is called and means.
package struct MetricDescription: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable { case counter, gauge, histogram }

  package var name: String
  package var kind: Kind
  /// In the order in which they are written.
  package var labels: [String]
  /// One sentence.
  package var help: String

  package init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
  }
}

/// Something that has metrics to show.
package protocol MetricSource: Sendable {
  /// Every family that ``write(to:)`` may write, also those without a sample yet.
  var descriptions: [MetricDescription] { get }

  /// Writes each family once, as a whole. A family without samples may be left out.
  func write(to text: inout MetricsText)
}
