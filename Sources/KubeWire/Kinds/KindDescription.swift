/// Everything that discovery, OpenAPI, tables and decoding need to know about one kind.
package struct KindDescription: Sendable {
  package struct Column: Sendable {
    package var name: String
    /// string, integer, number, boolean or date.
    package var type: String
    package var format: String
    package var description: String
    /// 0 always, 1 with -o wide.
    package var priority: Int

    package init(_ name: String, type: String = "string", format: String = "", priority: Int = 0, _ description: String) {
      self.name = name
      self.type = type
      self.format = format
      self.description = description
      self.priority = priority
    }
  }

  package struct Subresource: Sendable {
    package enum Answer: Sendable { case object, text }

    package var name: String
    package var verbs: [String]
    package var answer: Answer
    package var description: String

    package init(_ name: String, verbs: [String], answer: Answer = .object, _ description: String) {
      self.name = name
      self.verbs = verbs
      self.answer = answer
      self.description = description
    }
  }

  package var kind: String
  package var plural: String
  package var singular: String
  package var shortNames: [String]
  package var categories: [String]
  package var isNamespaced: Bool
  /// As discovery lists them: a promise (kubernetes-wire D9).
  package var verbs: [String]
  package var subresources: [Subresource]
  package var columns: [Column]
  package var selectableFields: Set<String>
  package var description: String
  /// spec and status; apiVersion, kind and metadata are the same for all.
  package var fields: [Schema.Field]

  package init(
    kind: String, plural: String, singular: String, shortNames: [String], categories: [String] = [], isNamespaced: Bool, verbs: [String],
    subresources: [Subresource] = [], columns: [Column], selectableFields: Set<String> = [], description: String, fields: [Schema.Field]
  ) {
    self.kind = kind
    self.plural = plural
    self.singular = singular
    self.shortNames = shortNames
    self.categories = categories
    self.isNamespaced = isNamespaced
    self.verbs = verbs
    self.subresources = subresources
    self.columns = columns
    self.selectableFields = ListOptions.commonFields.union(selectableFields)
    self.description = description
    self.fields = fields
  }

  /// The whole object.
  package var schema: Schema {
    .object(
      description,
      [
        Schema.string("The version of the form of this object: GROUP/VERSION.").field("apiVersion"),
        Schema.string("The kind of this object: \(kind).").field("kind"),
        Schema.reference(MetaSchemas.objectMeta, "Name, namespace, labels and what else every Kubernetes object has.").field("metadata"),
      ] + fields)
  }
}
