/// One change that a commit makes.
package enum ObjectChange: Sendable {
  /// Shows this state. Equal to the stored one: no event, no new version. Another uid under the same name: DELETED, then ADDED.
  case upsert(ObjectDraft)
  case remove(Resource, namespace: String, name: String)
}
