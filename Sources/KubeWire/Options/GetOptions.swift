/// The query of a get.
package struct GetOptions: Sendable, Hashable {
  /// "" for the most recent state, "0" for any, else at least that version.
  package var resourceVersion: String

  package init(resourceVersion: String = "") { self.resourceVersion = resourceVersion }

  /// - Throws: 400 when the version is no number.
  package init(query: QueryParameters) throws(StatusError) {
    resourceVersion = query["resourceVersion"] ?? ""
    try ResourceVersion.check(resourceVersion)
  }
}
