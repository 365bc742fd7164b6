extension ManagedFields {
  /// kubernetes-wire S6.
  private static let maximumUpdates = 10
  private static let oldUpdates = "ancient-changes"

  /// Keeps the entries of updates few: the oldest of one version of the API become one.
  mutating func foldOldUpdates() {
    let updates = entries.filter { $0.operation == .update }
    var excess = updates.count - Self.maximumUpdates
    guard excess > 0 else { return }
    var folded: [String: Entry] = [:]
    // The entries are in the order of their times.
    for entry in updates where excess > 0 {
      guard let older = folded[entry.apiVersion] else {
        folded[entry.apiVersion] = entry
        continue
      }
      self[older.identity] = nil
      self[entry.identity] = nil
      var sum = Entry(
        manager: Self.oldUpdates, operation: .update, apiVersion: entry.apiVersion, time: entry.time,
        fields: older.fields.union(entry.fields))
      if let present = self[sum.identity] {
        sum.fields = sum.fields.union(present.fields)
        excess -= 1
      }
      self[sum.identity] = sum
      folded[entry.apiVersion] = sum
      excess -= 1
    }
  }
}
