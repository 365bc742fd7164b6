/// The faults that are set, and those that a request brings itself.
struct FaultTable: Sendable {
  private(set) var faults: [Fault] = []

  mutating func set(_ faults: [Fault]) { self.faults = faults }

  /// The faults that strike this request; those with a count are used up by one.
  mutating func strike(method: String, path: String, header: [String]) throws(EngineError) -> [Fault.Kind] {
    var kinds: [Fault.Kind] = []
    for value in header {
      for part in value.split(separator: ",") { kinds.append(try Fault(part.trimmed).kind) }
    }
    for index in faults.indices where faults[index].matches(method: method, path: path) && faults[index].remaining != 0 {
      kinds.append(faults[index].kind)
      if let remaining = faults[index].remaining { faults[index].remaining = remaining - 1 }
    }
    faults.removeAll { $0.remaining == 0 }
    return kinds
  }
}
