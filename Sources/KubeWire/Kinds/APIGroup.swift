/// The group and version that we serve, and its kinds.
package struct APIGroup: Sendable {
  package let name: String
  package let version: String
  package let kinds: [KindDescription]

  /// - Parameters:
  ///   - name: a DNS subdomain; `workflow.example.com` unless told.
  ///   - version: `v1alpha1` unless told.
  package init(name: String = "workflow.example.com", version: String = "v1alpha1") {
    self.name = name
    self.version = version
    kinds = [.workflow(group: name), .workflowTemplate, .workflowBackend]
  }

  /// `workflow.example.com/v1alpha1`
  package var apiVersion: String { "\(name)/\(version)" }

  package func kind(plural: String) -> KindDescription? { kinds.first { $0.plural == plural } }

  package func gvk(_ kind: String) -> GroupVersionKind { GroupVersionKind(group: name, version: version, kind: kind) }

  /// `com.example.workflow.v1alpha1.Workflow` (kubernetes-wire O4).
  package func definitionName(_ kind: String) -> String {
    name.split(separator: ".").reversed().joined(separator: ".") + ".\(version).\(kind)"
  }

  package func definition(of kind: KindDescription) -> Schema.Definition {
    Schema.Definition(definitionName(kind.kind), kind.schema, kinds: [gvk(kind.kind)])
  }

  package func listDefinition(of kind: KindDescription) -> Schema.Definition {
    Schema.Definition(
      definitionName(kind.kind + "List"),
      .object(
        "A list of \(kind.kind) objects.",
        [
          Schema.string("The version of the form of this list: \(apiVersion).").field("apiVersion"),
          Schema.array("The objects.", of: .reference(definition(of: kind))).field("items", required: true),
          Schema.string("\(kind.kind)List.").field("kind"),
          Schema.reference(MetaSchemas.listMeta, "The version and, if there is more, the token for the next page.").field("metadata"),
        ]), kinds: [gvk(kind.kind + "List")])
  }
}
