/// The types of meta.k8s.io/v1 that ours refer to, with the names, fields and forms that Kubernetes gives them.
package enum MetaSchemas {
  private static let prefix = "io.k8s.apimachinery.pkg.apis.meta.v1."

  package static let time = Schema.Definition(
    prefix + "Time",
    .string("A moment in RFC 3339, to the second, in UTC.", format: "date-time"))

  package static let fieldsV1 = Schema.Definition(
    prefix + "FieldsV1", .freeObject("A set of fields as a trie of their paths."))

  package static let managedFieldsEntry = Schema.Definition(
    prefix + "ManagedFieldsEntry",
    .object(
      "Which fields one manager set, and how.",
      [
        Schema.string("The apiVersion that the fields are named after.").field("apiVersion"),
        Schema.string("The form of fieldsV1; always FieldsV1.").field("fieldsType"),
        Schema.reference(fieldsV1, "The fields.").field("fieldsV1"),
        Schema.string("The name of the manager.").field("manager"),
        Schema.string("Apply or Update.").field("operation"),
        Schema.string("The subresource through which the fields were set; empty for the object itself.").field("subresource"),
        Schema.time("When the entry last changed.").field("time"),
      ]))

  package static let ownerReference = Schema.Definition(
    prefix + "OwnerReference",
    .object(
      "Enough of an owner to find it again. The owner is in the same namespace, or cluster-scoped.",
      [
        Schema.string("The apiVersion of the owner.").field("apiVersion", required: true),
        Schema.boolean("The owner is not removed in the foreground before this object is.").field("blockOwnerDeletion"),
        Schema.boolean("The owner is the controller of this object.").field("controller"),
        Schema.string("The kind of the owner.").field("kind", required: true),
        Schema.string("The name of the owner.").field("name", required: true),
        Schema.string("The uid of the owner.").field("uid", required: true),
      ]
    ).atomic)

  package static let objectMeta = Schema.Definition(
    prefix + "ObjectMeta",
    .object(
      "Metadata that every object has.",
      [
        Schema.map(
          "Text of any kind that tools keep with the object. Not for selecting.", of: .string("")
        ).field("annotations"),
        Schema.time("When the object was made. Set by the server, read-only.").field("creationTimestamp"),
        Schema.integer("How many seconds a deletion may take. Read-only.").field("deletionGracePeriodSeconds"),
        Schema.time("Set when deletion was asked for and something still holds the object. Read-only.").field("deletionTimestamp"),
        Schema.set("What must happen before the object goes away; each is removed by who put it there.", of: .string(""))
          .withMergeStrategy.field("finalizers"),
        Schema.string("The beginning of a name that the server completes with five random characters, when name is empty.").field(
          "generateName"),
        Schema.integer("Counts the changes of the desired state. Read-only.").field("generation"),
        Schema.map("Short keys and values for selecting objects.", of: .string("")).field("labels"),
        Schema.array("Who set which fields. Kept by the server.", of: .reference(managedFieldsEntry)).field("managedFields"),
        Schema.string("Unique in its namespace for the kind. Lower case letters, digits, '-' and '.', at most 253. Cannot be changed.")
          .field("name"),
        Schema.string("The namespace that the name is unique in. Cannot be changed.").field("namespace"),
        Schema.array("Objects that this one depends on; when all are gone, it is deleted.", of: .reference(ownerReference), keys: ["uid"])
          .withMergeStrategy.field("ownerReferences"),
        Schema.string("The version of this state of the object, for optimistic locking and watches. Opaque, read-only.").field(
          "resourceVersion"),
        Schema.string("Not used.").field("selfLink"),
        Schema.string("Unique over all time: tells apart objects that had the same name one after the other. Read-only.").field("uid"),
      ]))

  package static let listMeta = Schema.Definition(
    prefix + "ListMeta",
    .object(
      "Metadata of a list.",
      [
        Schema.string("Set when there is more: send it as `continue` to get the next page.").field("continue"),
        Schema.integer("How many items follow this page, where that is known.").field("remainingItemCount"),
        Schema.string("The version of the state that the list shows; a watch can begin there.").field("resourceVersion"),
        Schema.string("Not used.").field("selfLink"),
      ]))

  package static let condition = Schema.object(
    "One aspect of the state.",
    [
      Schema.time("When the status of the condition last changed.").field("lastTransitionTime"),
      Schema.string("What is the case, for people.").field("message"),
      Schema.integer("The generation that the condition speaks of.").field("observedGeneration"),
      Schema.string("Why, in one CamelCase word, for programs.").field("reason"),
      Schema.string("True, False or Unknown.", allowed: ["True", "False", "Unknown"]).field("status", required: true),
      Schema.string("The name of the condition.").field("type", required: true),
    ])

  package static let preconditions = Schema.Definition(
    prefix + "Preconditions",
    .object(
      "What must hold of the object for the deletion to be done.",
      [
        Schema.string("The object's resourceVersion.").field("resourceVersion"),
        Schema.string("The object's uid.").field("uid"),
      ]))

  package static let deleteOptions = Schema.Definition(
    prefix + "DeleteOptions",
    .object(
      "How an object shall be deleted.",
      [
        Schema.string("v1.").field("apiVersion"),
        Schema.array("`All`: check everything, delete nothing.", of: .string("")).field("dryRun"),
        Schema.integer("Accepted and not used.").field("gracePeriodSeconds"),
        Schema.string("DeleteOptions.").field("kind"),
        Schema.boolean("The old form of propagationPolicy.").field("orphanDependents"),
        Schema.reference(preconditions, "What must hold of the object for the deletion to be done.").field("preconditions"),
        Schema.string("Foreground, Background or Orphan.").field("propagationPolicy"),
      ]))

  private static let statusCause = Schema.Definition(
    prefix + "StatusCause",
    .object(
      "One of several causes of a refusal.",
      [
        Schema.string("The field that caused it.").field("field"), Schema.string("For people.").field("message"),
        Schema.string("For programs.").field("reason"),
      ]))

  private static let statusDetails = Schema.Definition(
    prefix + "StatusDetails",
    .object(
      "What a Status speaks of.",
      [
        Schema.array("The causes, where there are several.", of: .reference(statusCause)).field("causes"),
        Schema.string("The group.").field("group"), Schema.string("The resource or kind.").field("kind"),
        Schema.string("The object's name.").field("name"), Schema.integer("When to try again.", format: "int32").field("retryAfterSeconds"),
        Schema.string("The object's uid.").field("uid"),
      ]))

  package static let status = Schema.Definition(
    prefix + "Status",
    .object(
      "The answer of a call that returns no object.",
      [
        Schema.string("v1.").field("apiVersion"), Schema.integer("The HTTP status code.", format: "int32").field("code"),
        Schema.reference(statusDetails).field("details"), Schema.string("Status.").field("kind"),
        Schema.string("For people.").field("message"),
        Schema.reference(listMeta).field("metadata"), Schema.string("For programs.").field("reason"),
        Schema.string("Success or Failure.").field("status"),
      ]))
}
