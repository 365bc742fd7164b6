extension KindDescription {
  /// One installation of an engine. Cluster-scoped, read-only.
  package static let workflowBackend = KindDescription(
    kind: "WorkflowBackend", plural: "workflowbackends", singular: "workflowbackend", shortNames: ["wfb"], categories: ["workflows"],
    isNamespaced: false, verbs: ["get", "list", "watch"],
    columns: [
      Column("Name", format: "name", "Name must be unique."), Column("Adapter", "The adapter that speaks to it."),
      Column("Engine Version", "The engine's version, where it tells."), Column("Reachable", "It answers."),
      Column("Authenticated", "It takes our credentials."), Column("Synced", "All its runs in scope are known."),
      Column("Age", type: "date", "How long ago this server began with it."), Column("Message", priority: 1, "What is wrong, if anything."),
    ],
    description:
      "A WorkflowBackend is one installation of an engine, as the operator of this server configured it, and how well it can be reached. Read-only.",
    fields: [
      Schema.object(
        "How it is configured, without its credentials.", open: true,
        [
          Schema.string("The adapter that speaks to it.").field("adapter"),
          Schema.array(
            "Which part of it appears in which namespace.",
            of: .object(
              "One part.", open: true,
              [
                Schema.string("Observe, Submit or Manage: what may be done there from here.").field("access"),
                Schema.boolean("Workflows with spec.steps are allowed.").field("inlineSteps"),
                Schema.string("The namespace.").field("namespace"),
              ])
          ).field("bindings"),
          Schema.string("Where it is.").field("url"),
        ]
      ).field("spec"),
      Schema.object(
        "How it stands.", open: true,
        [
          Schema.array(
            "Reachable: it answers. Authenticated: it takes our credentials. Synced: all its runs in scope were read; until then lists that "
              + "include it are refused.", of: MetaSchemas.condition, keys: ["type"]
          ).field("conditions"),
          Schema.string("The engine's version, where it tells.").field("engineVersion"),
          Schema.string("What is wrong, for people.").field("message"),
        ]
      ).field("status"),
    ])
}
