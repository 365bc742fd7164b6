extension KindDescription {
  /// One installation of an engine. Cluster-scoped, read-only.
  package static let workflowBackend = KindDescription(
    kind: "WorkflowBackend", plural: "workflowbackends", singular: "workflowbackend", shortNames: ["wfb"],
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
          Schema.string("The version of the adapter.").field("adapterVersion"),
          Schema.string("The kind of engine, for people.").field("engine"),
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
        ]
      ).field("status"),
    ])
}
