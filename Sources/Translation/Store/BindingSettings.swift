/// What the store has to know of a binding.
package struct BindingSettings: Sendable {
  package var id: BindingID
  /// Where its runs can appear.
  package var namespaces: Set<String>
  /// How long after their end runs are shown; 7 days unless told.
  package var window: Duration
  /// The adapter keeps overlays apart from the runs: a run is not shown before they were read.
  package var readsOverlaysApart: Bool
  /// The adapter lists templates: reads of WorkflowTemplates wait for the first complete list.
  package var hasTemplates: Bool
  /// The engine refuses a second run under a submission's key: a run that has the key is the one that was submitted.
  package var enforcesSubmissionKeys: Bool

  package init(
    id: BindingID, namespaces: Set<String>, window: Duration = .seconds(7 * 86_400), readsOverlaysApart: Bool = false,
    hasTemplates: Bool = false, enforcesSubmissionKeys: Bool = false
  ) {
    self.id = id
    self.namespaces = namespaces
    self.window = window
    self.readsOverlaysApart = readsOverlaysApart
    self.hasTemplates = hasTemplates
    self.enforcesSubmissionKeys = enforcesSubmissionKeys
  }
}
