package import JSON
internal import OrderedCollections

/// The document of the group in OpenAPI 2.0, as `/openapi/v2` serves it: to the aggregator in JSON, to kubectl up to 1.28 in protobuf.
package struct OpenAPIV2: Sendable {
  package let document: JSONValue

  package init(_ group: APIGroup, title: String, version: String) {
    var definitions: [String: JSONValue] = [:]
    let paths = OpenAPIPaths(group: group).written {
      Self.operation($0, &definitions)
    } parameter: { name, place, description, required in
      Self.parameter(name, place, "string", description, required: required)
    }
    document = [
      "swagger": "2.0", "info": ["title": .string(title), "version": .string(version)], "paths": paths,
      "definitions": .object(JSONObject(uniqueKeysWithValues: definitions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
    ]
  }

  private static func operation(_ operation: OpenAPIOperation, _ definitions: inout [String: JSONValue]) -> JSONValue {
    let dialect = OpenAPIDialect.v2
    var parameters: [JSONValue] = []
    var consumes = ["application/json"]
    switch operation.body {
    case .none: break
    case .definition(let definition, let types, let required):
      dialect.collect(definition, into: &definitions)
      consumes = types
      var body: JSONObject = ["in": "body", "name": "body"]
      if required { body["required"] = true }
      body["schema"] = dialect.reference(definition)
      parameters.append(.object(body))
    case .patch(let types):
      consumes = types
      parameters.append(
        ["in": "body", "name": "body", "required": true, "schema": ["description": "The changes.", "type": "object"]])
    }
    parameters += operation.parameters.map { parameter($0.name, "query", $0.type, $0.description) }

    var members: JSONObject = [
      "description": .string(operation.description), "consumes": .array(consumes.map { .string($0) }),
    ]
    let schema: JSONValue
    switch operation.answer {
    case .definition(let definition):
      dialect.collect(definition, into: &definitions)
      members["produces"] = operation.action == "list" ? ["application/json", "application/json;stream=watch"] : ["application/json"]
      schema = dialect.reference(definition)
    case .text:
      members["produces"] = ["text/plain"]
      schema = ["type": "string"]
    }
    members["schemes"] = ["https"]
    members["tags"] = [.string(operation.kind.group)]
    members["operationId"] = .string(operation.id)
    if !parameters.isEmpty { members["parameters"] = .array(parameters) }
    members["responses"] = [
      String(operation.successCode): ["description": operation.successCode == 201 ? "Created" : "OK", "schema": schema],
      "401": ["description": "Unauthorized"],
    ]
    members["x-kubernetes-action"] = .string(operation.action)
    members["x-kubernetes-group-version-kind"] = OpenAPIDialect.gvk(operation.kind)
    return .object(members)
  }

  private static func parameter(_ name: String, _ place: String, _ type: String, _ description: String, required: Bool = false) -> JSONValue
  {
    var members: JSONObject = [
      "uniqueItems": true, "type": .string(type), "description": .string(description), "name": .string(name), "in": .string(place),
    ]
    if required { members["required"] = true }
    return .object(members)
  }
}
