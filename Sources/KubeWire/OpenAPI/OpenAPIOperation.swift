internal import JSON
internal import OrderedCollections

/// One call, in terms that both versions of OpenAPI can be written from.
struct OpenAPIOperation {
  struct Parameter {
    var name: String
    var type: String
    var description: String
  }

  enum Body {
    case none
    case definition(Schema.Definition, mediaTypes: [String], required: Bool)
    /// A document of any form.
    case patch(mediaTypes: [String])
  }

  enum Answer {
    case definition(Schema.Definition)
    case text
  }

  var method: String
  var id: String
  /// x-kubernetes-action.
  var action: String
  var description: String
  var kind: GroupVersionKind
  var parameters: [Parameter]
  var body: Body
  var answer: Answer
  /// 200, or 201 for what makes something.
  var successCode: Int
}

/// One path with its calls.
struct OpenAPIPath {
  var path: String
  var hasNamespace: Bool
  var hasName: Bool
  var operations: [OpenAPIOperation]
}

/// The calls of a group's kinds, in the order in which documents list them.
struct OpenAPIPaths {
  let group: APIGroup

  var all: [OpenAPIPath] { group.kinds.flatMap(paths) }

  /// The `paths` of a document, in whose version of OpenAPI operations and parameters are written.
  func written(
    operation: (OpenAPIOperation) -> JSONValue,
    parameter: (_ name: String, _ place: String, _ description: String, _ required: Bool) -> JSONValue
  ) -> JSONValue {
    var written = JSONObject()
    for path in all {
      var item = JSONObject()
      for one in path.operations { item[one.method] = operation(one) }
      var parameters: [JSONValue] = []
      if path.hasName { parameters.append(parameter("name", "path", "The name of the object.", true)) }
      if path.hasNamespace { parameters.append(parameter("namespace", "path", "The namespace.", true)) }
      parameters.append(parameter("pretty", "query", "true: with line breaks and indentation.", false))
      item["parameters"] = .array(parameters)
      written[path.path] = .object(item)
    }
    return .object(written)
  }

  private func paths(_ kind: KindDescription) -> [OpenAPIPath] {
    let base = "/apis/\(group.apiVersion)"
    let collection = kind.isNamespaced ? "\(base)/namespaces/{namespace}/\(kind.plural)" : "\(base)/\(kind.plural)"
    let item = "\(collection)/{name}"
    let scope = kind.isNamespaced ? "Namespaced" : ""
    let title = "\(group.version.prefix(1).uppercased())\(group.version.dropFirst())"
    let single = group.definition(of: kind)
    let list = group.listDefinition(of: kind)
    let gvk = group.gvk(kind.kind)
    func operation(
      _ method: String, _ verb: String, action: String, _ description: String, suffix: String = "",
      parameters: [OpenAPIOperation.Parameter],
      body: OpenAPIOperation.Body = .none, answer: OpenAPIOperation.Answer, code: Int = 200
    ) -> OpenAPIOperation {
      let id = "\(verb)\(operationGroup)\(title)\(scope)\(kind.kind)\(suffix)"
      return OpenAPIOperation(
        method: method, id: id, action: action, description: description, kind: gvk, parameters: parameters, body: body, answer: answer,
        successCode: code)
    }
    let deletion = OpenAPIOperation.Body.definition(MetaSchemas.deleteOptions, mediaTypes: ["application/json"], required: false)

    var onCollection = [
      operation(
        "get", "list", action: "list", "list or watch objects of kind \(kind.kind)", parameters: Self.listing, answer: .definition(list))
    ]
    if kind.verbs.contains("create") {
      onCollection.append(
        operation(
          "post", "create", action: "post", "create a \(kind.kind)", parameters: Self.writing,
          body: .definition(single, mediaTypes: Self.objectTypes, required: true), answer: .definition(single), code: 201))
    }
    if kind.verbs.contains("deletecollection") {
      onCollection.append(
        operation(
          "delete", "deletecollection", action: "deletecollection", "delete objects of kind \(kind.kind)",
          parameters: Self.listing + Self.deleting, body: deletion, answer: .definition(list)))
    }
    var onItem = [
      operation("get", "read", action: "get", "read a \(kind.kind)", parameters: [Self.resourceVersion], answer: .definition(single))
    ]
    if kind.verbs.contains("delete") {
      onItem.append(
        operation(
          "delete", "delete", action: "delete", "delete a \(kind.kind)", parameters: Self.deleting, body: deletion,
          answer: .definition(MetaSchemas.status)))
    }
    func change(_ method: String, suffix: String = "") -> OpenAPIOperation {
      let what = suffix.isEmpty ? "a \(kind.kind)" : "the \(suffix.lowercased()) of a \(kind.kind)"
      guard method == "patch" else {
        return operation(
          "put", "replace", action: "put", "replace \(what)", suffix: suffix, parameters: Self.writing,
          body: .definition(single, mediaTypes: Self.objectTypes, required: true), answer: .definition(single))
      }
      // kubectl looks here, and only here, for whether the server checks fields by itself (kubernetes-wire O3).
      return operation(
        "patch", "patch", action: "patch", "change \(what) in part", suffix: suffix, parameters: Self.writing + [Self.force],
        body: .patch(mediaTypes: APIGroup.patchMediaTypes), answer: .definition(single))
    }
    if kind.verbs.contains("update") { onItem.append(change("put")) }
    if kind.verbs.contains("create") { onItem.append(change("patch")) }
    var paths = [
      OpenAPIPath(path: collection, hasNamespace: kind.isNamespaced, hasName: false, operations: onCollection),
      OpenAPIPath(path: item, hasNamespace: kind.isNamespaced, hasName: true, operations: onItem),
    ]
    for subresource in kind.subresources {
      let suffix = subresource.name.prefix(1).uppercased() + subresource.name.dropFirst()
      let operations = subresource.verbs.map { verb in
        switch verb {
        case "create":
          operation(
            "post", "create", action: "post", subresource.description, suffix: suffix, parameters: [Self.dryRun],
            answer: .definition(single),
            code: 201)
        case "update": change("put", suffix: suffix)
        case "patch": change("patch", suffix: suffix)
        default:
          operation(
            "get", "read", action: "get", subresource.description, suffix: suffix,
            parameters: subresource.answer == .text ? Self.logging : [],
            answer: subresource.answer == .text ? .text : .definition(single))
        }
      }
      paths.append(OpenAPIPath(path: "\(item)/\(subresource.name)", hasNamespace: kind.isNamespaced, hasName: true, operations: operations))
    }
    if kind.isNamespaced {
      var everywhere = operation(
        "get", "list", action: "list", "list or watch objects of kind \(kind.kind)", parameters: Self.listing, answer: .definition(list))
      everywhere.id = "list\(operationGroup)\(title)\(kind.kind)ForAllNamespaces"
      paths.append(OpenAPIPath(path: "\(base)/\(kind.plural)", hasNamespace: false, hasName: false, operations: [everywhere]))
    }
    return paths
  }

  private var operationGroup: String {
    group.name.split(whereSeparator: { $0 == "." || $0 == "-" }).map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  private typealias Parameter = OpenAPIOperation.Parameter

  private static let resourceVersion = Parameter(
    name: "resourceVersion", type: "string",
    description: "Empty for the most recent state, 0 for any that is known, a number for a state that is at least as new.")
  private static let force = Parameter(name: "force", type: "boolean", description: "Only for apply patches.")

  private static let objectTypes = ["application/json", "application/yaml"]

  private static let listing: [Parameter] = [
    Parameter(name: "allowWatchBookmarks", type: "boolean", description: "Send events of type BOOKMARK that tell how far the watch is."),
    Parameter(name: "continue", type: "string", description: "The token for the next page, from the page before."),
    Parameter(name: "fieldSelector", type: "string", description: "Only objects whose fields match."),
    Parameter(name: "labelSelector", type: "string", description: "Only objects whose labels match."),
    Parameter(name: "limit", type: "integer", description: "At most so many in one page."), resourceVersion,
    Parameter(name: "resourceVersionMatch", type: "string", description: "How resourceVersion is meant: Exact or NotOlderThan."),
    Parameter(name: "sendInitialEvents", type: "boolean", description: "Begin a watch with all that exists, and say when that is done."),
    Parameter(name: "timeoutSeconds", type: "integer", description: "End the watch after so many seconds."),
    Parameter(name: "watch", type: "boolean", description: "Stream the changes instead of a list."),
  ]
  private static let dryRun = Parameter(name: "dryRun", type: "string", description: "All: check everything, store nothing.")
  private static let writing: [Parameter] = [
    dryRun, Parameter(name: "fieldManager", type: "string", description: "Who makes the change."),
    Parameter(
      name: "fieldValidation", type: "string",
      description: "What becomes of unknown and repeated fields: Ignore drops them, Warn drops them with a warning, Strict refuses them."),
  ]
  private static let deleting: [Parameter] = [
    dryRun, Parameter(name: "gracePeriodSeconds", type: "integer", description: "Accepted and not used."),
    Parameter(name: "orphanDependents", type: "boolean", description: "The old form of propagationPolicy."),
    Parameter(name: "propagationPolicy", type: "string", description: "Foreground, Background or Orphan."),
  ]
  private static let logging: [Parameter] = [
    Parameter(name: "follow", type: "boolean", description: "Go on until the run has ended."),
    Parameter(name: "sinceSeconds", type: "integer", description: "Only what is not older."),
    Parameter(name: "sinceTime", type: "string", description: "Only what was written after that moment, in RFC 3339."),
    Parameter(name: "step", type: "string", description: "Only that step."),
    Parameter(name: "tailLines", type: "integer", description: "Only the last lines."),
  ]
}

extension APIGroup {
  /// What a PATCH may be; strategic merge is not among them (kubernetes-wire C19, C20).
  package static let patchMediaTypes = [
    "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml",
  ]
}
