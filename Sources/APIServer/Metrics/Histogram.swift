internal import JSON

/// How often values fell into which bucket. Observing takes two atomic additions and no lock.
package final class Histogram: Sendable {
  /// The upper bounds of the buckets, the last one (+Inf) left out.
  package struct Scale: Sendable {
    /// As they are written in the label `le`.
    let bounds: [String]
    /// In whole units.
    let limits: [UInt64]
    /// Units in one of what is written: microseconds in a second, bytes in a byte.
    let unit: Double

    /// - Parameter bounds: ascending.
    package init(_ bounds: [Double], unit: Double) {
      self.bounds = bounds.map(MetricsText.number)
      limits = bounds.map { UInt64(($0 * unit).rounded()) }
      self.unit = unit
    }

    /// In seconds, observed in microseconds.
    package static func seconds(_ bounds: [Double]) -> Scale { Scale(bounds, unit: 1_000_000) }
    package static func bytes(_ bounds: [Double]) -> Scale { Scale(bounds, unit: 1) }
  }

  let scale: Scale
  /// One per bucket, then one for what is above all bounds, then the sum in units.
  private let cells: AtomicCells

  package init(_ scale: Scale) {
    self.scale = scale
    cells = AtomicCells(scale.limits.count + 2)
  }

  package func observe(_ duration: Duration) { observe(units: UInt64(max(0, duration.inMicroseconds))) }
  package func observe(bytes: Int) { observe(units: UInt64(max(0, bytes))) }

  private func observe(units: UInt64) {
    var low = 0
    var high = scale.limits.count
    while low < high {
      let middle = (low + high) / 2
      if scale.limits[middle] < units { low = middle + 1 } else { high = middle }
    }
    cells.add(at: low)
    cells.add(units, at: cells.count - 1)
  }

  /// Of each bucket alone, what is above all bounds last; and the sum.
  func read() -> (counts: [UInt64], sum: Double) {
    ((0..<cells.count - 1).map { cells[$0] }, Double(cells[cells.count - 1]) / scale.unit)
  }

  var isEmpty: Bool { (0..<cells.count - 1).allSatisfy { cells[$0] == 0 } }
}
