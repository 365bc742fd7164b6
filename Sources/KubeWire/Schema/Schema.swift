/// The form of one value, with a description for people. All that clients learn about our types (OpenAPI, `kubectl explain`, strict decoding)
/// comes from one tree of these.
package struct Schema: Sendable {
  package indirect enum Form: Sendable {
    /// - format: as OpenAPI names it, such as date-time. - allowed: empty for any text.
    case string(format: String?, allowed: [String])
    case integer(format: String, minimum: Int64?)
    case number
    case boolean
    case array(Schema, ListKind)
    /// - open: members that are not listed are kept as they are.
    case object([Field], open: Bool)
    /// An object with members of any name.
    case map(Schema)
    /// Any JSON value, kept as it is.
    case anything
    case reference(Definition)
  }

  /// How server-side apply sees a list, and what OpenAPI says of it (`x-kubernetes-list-type`).
  package enum ListKind: Sendable, Hashable {
    /// One manager has it as a whole.
    case atomic
    /// Each value has its managers, and comes once.
    case set
    /// Each element has its managers, down to its members; the members named here tell the elements apart.
    case map(keys: [String])

    /// Empty where the elements have none.
    package var keys: [String] { if case .map(let keys) = self { keys } else { [] } }
  }

  package struct Field: Sendable {
    package var name: String
    package var schema: Schema
    package var isRequired: Bool
  }

  /// A schema that has a name of its own, unique among all definitions of a cluster (kubernetes-wire O4).
  package final class Definition: Sendable {
    package let name: String
    package let schema: Schema
    /// Set for kinds that can be sent and received by themselves.
    package let kinds: [GroupVersionKind]

    package init(_ name: String, _ schema: Schema, kinds: [GroupVersionKind] = []) {
      self.name = name
      self.schema = schema
      self.kinds = kinds
    }
  }

  package var form: Form
  package var description: String
  /// Of an object or a map: one manager has it as a whole (`x-kubernetes-map-type: atomic`). Otherwise each member has its managers.
  package var isAtomic = false
  /// Of a list: Kubernetes' own strategic merge patch merges it. Ours has no such patch; the marker is there because Kubernetes' type has it.
  package var hasMergeStrategy = false

  package init(_ form: Form, _ description: String) {
    self.form = form
    self.description = description
  }
}

package struct GroupVersionKind: Sendable, Hashable {
  package var group: String
  package var version: String
  package var kind: String

  package init(group: String, version: String, kind: String) {
    self.group = group
    self.version = version
    self.kind = kind
  }
}

/// How schemas are written down.
extension Schema {
  package static func string(_ description: String, format: String? = nil, allowed: [String] = []) -> Schema {
    Schema(.string(format: format, allowed: allowed), description)
  }
  package static func integer(_ description: String, format: String = "int64", minimum: Int64? = nil) -> Schema {
    Schema(.integer(format: format, minimum: minimum), description)
  }
  package static func boolean(_ description: String) -> Schema { Schema(.boolean, description) }
  /// - Parameter keys: the members that tell the elements apart, for a list that is merged by key; empty for an atomic list.
  package static func array(_ description: String, of element: Schema, keys: [String] = []) -> Schema {
    Schema(.array(element, keys.isEmpty ? .atomic : .map(keys: keys)), description)
  }
  package static func set(_ description: String, of element: Schema) -> Schema { Schema(.array(element, .set), description) }
  package static func object(_ description: String, open: Bool = false, _ fields: [Field]) -> Schema {
    Schema(.object(fields, open: open), description)
  }
  package static func map(_ description: String, of value: Schema) -> Schema { Schema(.map(value), description) }
  package static func freeObject(_ description: String) -> Schema { Schema(.object([], open: true), description) }
  package static func reference(_ definition: Definition, _ description: String? = nil) -> Schema {
    Schema(.reference(definition), description ?? definition.schema.description)
  }
  package static func time(_ description: String) -> Schema { .reference(MetaSchemas.time, description) }

  /// See ``isAtomic``.
  package var atomic: Schema {
    var schema = self
    schema.isAtomic = true
    return schema
  }

  /// See ``hasMergeStrategy``.
  package var withMergeStrategy: Schema {
    var schema = self
    schema.hasMergeStrategy = true
    return schema
  }

  package func field(_ name: String, required: Bool = false) -> Field { Field(name: name, schema: self, isRequired: required) }
}
