extension KindDescription {
  /// A run of an engine.
  package static func workflow(group: String) -> KindDescription {
    KindDescription(
      kind: "Workflow", plural: "workflows", singular: "workflow", shortNames: ["wf"], categories: ["workflows"], isNamespaced: true,
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      subresources: [
        Subresource(
          "status", verbs: ["get", "patch", "update"],
          "The object with its status. Of a write only the status counts: a phase is told to the engine where it takes one, members that the engine "
            + "does not own are kept, and everything else stays as the engine has it."),
        Subresource(
          "log", verbs: ["get"], answer: .text,
          "What the run wrote, as plain text. `follow=true` goes on until it ends; `step` names one step; `tailLines` and `sinceTime` shorten it."
        ),
        Subresource("cancel", verbs: ["create"], "Stops the run."), Subresource("retry", verbs: ["create"], "Runs it again."),
      ],
      columns: [
        Column("Name", format: "name", "Name must be unique within a namespace."),
        Column("Template", "The WorkflowTemplate that it was started from; <inline> when its steps are written in it."),
        Column("Phase", "Pending, Running, Succeeded or Failed."), Column("Progress", "Steps that are done, of all."),
        Column("Started", type: "date", "How long ago it began to run."), Column("Duration", "How long it ran, or has been running."),
        Column("Age", type: "date", "How long ago it was submitted."), Column("Backend", priority: 1, "The engine that runs it."),
        Column("ID", priority: 1, "The engine's own name for it."), Column("URL", priority: 1, "Where to look at it in a browser."),
        Column("Message", priority: 1, "What the engine says."),
      ],
      selectableFields: ["status.phase", "spec.templateRef.name", "spec.backend"],
      description:
        "A Workflow is one run of a job on a CI or workflow engine. Creating it starts the run; its status follows the run; deleting it "
        + "cancels the run if it is active and removes it from the engine. Runs that were started elsewhere appear as Workflows too. "
        + "State exactly one of spec.templateRef and spec.steps.",
      fields: [spec(group: group).field("spec"), workflowStatus.field("status")])
  }

  private static func spec(group: String) -> Schema {
    .object(
      "What shall run. Apart from suspend and cancel it cannot be changed after the run was started.",
      [
        Schema.string(
          "The name of the engine to run on, as `kubectl get workflowbackends` lists them. Needed only where the namespace is bound to several."
        ).field("backend"),
        Schema.boolean("Set it to true to stop the run. It cannot be taken back.").field("cancel"),
        Schema.freeObject(
          "The input of the run: an object whose members are the template's parameters. They are checked against "
            + "the spec.parametersSchema of the WorkflowTemplate before anything is started."
        ).field("parameters"),
        Schema.string(
          "A cron expression such as `0 3 * * 1-5`, or @hourly, @daily and the like. The Workflow then is a schedule: it stays Running, and each "
            + "run that it starts is a Workflow of its own, labelled \(group)/schedule with the schedule's status.backend.id."
        ).field("schedule"),
        Schema.array(
          "The work itself, step after step; the first that fails ends the run. Not every engine, and not every namespace, allows it. "
            + "Not together with templateRef.", of: step, keys: ["name"]
        ).field("steps"),
        Schema.boolean("Hold the run, or the schedule, until this is false.").field("suspend"),
        Schema.object(
          "The definition to start. Not together with steps.",
          [Schema.string("The metadata.name of a WorkflowTemplate in the same namespace.").field("name", required: true)]
        ).field("templateRef"),
        Schema.string(
          "The longest time that the run may take, as a Go duration such as `30m` or `1h30m`. A run that is not done by then is stopped: phase "
            + "Failed, reason TimedOut."
        ).field("timeout"),
      ])
  }

  private static let step = Schema.object(
    "One step: a command in an environment.",
    [
      Schema.array("Arguments for the command.", of: .string("")).field("args"),
      Schema.array("The command and its first arguments. No shell is involved: use [\"sh\", \"-c\", \"…\"] for one.", of: .string(""))
        .field("command"),
      Schema.array(
        "Variables of the step's environment.",
        of: .object(
          "One variable.",
          [Schema.string("Its name.").field("name", required: true), Schema.string("Its value; empty unless given.").field("value")]),
        keys: ["name"]
      ).field("env"),
      Schema.string("The container image to run the command in. An engine without containers says so in status.message.").field("image"),
      Schema.string("A name that no other step of the Workflow has: lower case letters, digits and '-'.").field("name", required: true),
    ])

  package static let workflowStatus = Schema.object(
    "What became of it. The engine decides it; a phase written to the status subresource is told to engines that take one.", open: true,
    [
      Schema.integer("1 for the first time, one more for every retry.").field("attempt"),
      Schema.object(
        "Where it runs.",
        [
          Schema.string("The engine's own name for the run.").field("id"),
          Schema.string("The name of the WorkflowBackend.").field("name"),
          Schema.string("The state in the engine's own words.").field("state"),
          Schema.string("A page to look at in a browser.").field("url"),
        ]
      ).field("backend"),
      Schema.time("When it ended.").field("completionTime"),
      Schema.array(
        "Complete, Failed and Suspended, as a Job has them: `kubectl wait --for=condition=Complete`. Ready, Reconciling and Stalled for tools that "
          + "follow the kstatus convention.", of: MetaSchemas.condition, keys: ["type"]
      ).field("conditions"),
      Schema.time("When the schedule last started a run.").field("lastScheduleTime"),
      Schema.string("What the engine says, for people.").field("message"),
      Schema.time("When the schedule will start its next run.").field("nextRunTime"),
      Schema.integer("The metadata.generation that this status speaks of.").field("observedGeneration"),
      Schema.string("Pending, Running, Succeeded or Failed.", allowed: ["Pending", "Running", "Succeeded", "Failed"]).field("phase"),
      Schema.string("Steps that are done, of all: `3/7`.").field("progress"),
      Schema.string("Why it is in this phase, in one word: Cancelled, TimedOut, Suspended, Scheduled, or the engine's own.").field(
        "reason"),
      Schema.time("When it began to run.").field("startTime"),
      Schema.array(
        "The steps, tasks or stages, in the engine's order.",
        of: .object(
          "One step.", open: true,
          [
            Schema.time("When it ended.").field("completionTime"), Schema.string("What the engine says of it.").field("message"),
            Schema.string("Its name.").field("name", required: true),
            Schema.string("Pending, Running, Succeeded, Failed or Skipped.").field("phase"),
            Schema.time("When it began.").field("startTime"),
          ]), keys: ["name"]
      ).field("steps"),
    ])
}
