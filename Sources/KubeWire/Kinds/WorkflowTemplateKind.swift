extension KindDescription {
  /// A definition that runs are started from. Read-only.
  package static let workflowTemplate = KindDescription(
    kind: "WorkflowTemplate", plural: "workflowtemplates", singular: "workflowtemplate", shortNames: ["wftmpl"],
    isNamespaced: true, verbs: ["get", "list", "watch"],
    columns: [
      Column("Name", format: "name", "Name must be unique within a namespace."), Column("Backend", "The engine that has it."),
      Column("Description", priority: 1, "What it does."), Column("Paused", "The engine starts no runs of it."),
      Column("Schedule", "When the engine starts it by itself."),
      Column("Age", type: "date", "How long it has existed, where the engine tells."),
    ],
    selectableFields: ["spec.backend"],
    description:
      "A WorkflowTemplate is something an engine can run: a DAG, a builder, a pipeline, a job. It is defined in the engine and read-only here; "
      + "name it in a Workflow's spec.templateRef to start it.",
    fields: [
      Schema.object(
        "What the engine says of it.", open: true,
        [
          Schema.string("The name of the WorkflowBackend that has it.").field("backend"),
          Schema.string("What it does, as its author wrote.").field("description"),
          Schema.string("The engine's own name for it; metadata.name is made from it.").field("engineName"),
          Schema.freeObject("The parameters as JSON Schema, where the engine tells.").field("parametersSchema"),
          Schema.string("When the engine starts it by itself: a cron expression.").field("schedule"),
          Schema.string("A page to look at in a browser.").field("url"),
        ]
      ).field("spec"),
      Schema.object(
        "How it stands.", open: true,
        [Schema.boolean("The engine holds new runs until somebody releases it there.").field("paused")]
      ).field("status"),
    ])
}
