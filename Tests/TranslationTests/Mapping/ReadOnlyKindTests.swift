import AdapterKit
import JSON
import OrderedCollections
import Testing

@testable import Translation

/// Templates and backends are as old as nobody knows.
@Suite struct ReadOnlyKindTests {
  @Test func theirCreationIsTheSameAfterEveryRestartAndTheAgeIsNotMadeUp() {
    let traits = AdapterTraits(engine: "E", name: "e", version: "1", submissionKeys: .none)
    let binding = BindingInfo(
      name: "b", backend: "ci", namespace: "default", scope: AdapterScope(), access: .manage, deletionPolicy: .delete, inlineSteps: true)
    let template = TemplateProjection(group: "g.example.com", binding: binding).draft(EngineTemplate(name: "t"))
    let backend = BackendProjection(name: "ci", url: "http://ci", traits: traits).draft([])
    for draft in [template, backend] {
      #expect(draft.metadata["creationTimestamp"] == "1970-01-01T00:00:00Z")
      #expect(draft.cells.contains(.value("<unknown>")))
    }
  }
}
