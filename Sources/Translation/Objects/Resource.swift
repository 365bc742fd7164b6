/// The kinds we serve. One event window each, one counter of versions for all.
package enum Resource: String, Sendable, Hashable, CaseIterable {
  case workflows, workflowtemplates, workflowbackends

  /// The Kind.
  package var kind: String {
    switch self {
    case .workflows: "Workflow"
    case .workflowtemplates: "WorkflowTemplate"
    case .workflowbackends: "WorkflowBackend"
    }
  }

  package var isNamespaced: Bool { self != .workflowbackends }
}
