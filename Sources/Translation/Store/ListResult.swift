/// One page of a list, or all of it.
package struct ListResult: Sendable {
  /// Ascending by `namespace/name`.
  package var items: [StoredObject]
  /// Of the snapshot that all pages come from: a watch from it misses nothing and repeats nothing.
  package var version: UInt64
  /// nil on the last page.
  package var continueToken: String?
  /// Only without selectors, and not on the last page.
  package var remainingItemCount: Int?

  package init(items: [StoredObject], version: UInt64, continueToken: String? = nil, remainingItemCount: Int? = nil) {
    self.items = items
    self.version = version
    self.continueToken = continueToken
    self.remainingItemCount = remainingItemCount
  }
}
