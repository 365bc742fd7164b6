/// Metrics that are read where they are when somebody asks for them.
package struct CollectedMetrics: MetricSource {
  package struct Sample: Sendable {
    package var labels: [String]
    package var value: Double

    /// - Parameter labels: the values, in the order of the description.
    package init(_ value: Double, labels: [String] = []) {
      self.labels = labels
      self.value = value
    }
  }

  package struct Family: Sendable {
    let description: MetricDescription
    let read: @Sendable () -> [Sample]

    package init(_ description: MetricDescription, read: @escaping @Sendable () -> [Sample]) {
      self.description = description
      self.read = read
    }
  }

  private let families: [Family]

  package init(_ families: [Family]) { self.families = families }

  /// One metric without labels.
  package init(_ description: MetricDescription, _ read: @escaping @Sendable () -> Double) {
    families = [Family(description) { [Sample(read())] }]
  }

  package var descriptions: [MetricDescription] { families.map(\.description) }

  package func write(to text: inout MetricsText) {
    for family in families {
      let samples = family.read()
      guard !samples.isEmpty else { continue }
      text.family(family.description)
      for sample in samples { text.sample(MetricsText.labels(family.description.labels, sample.labels), sample.value) }
    }
  }
}
