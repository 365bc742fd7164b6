package import JSON
internal import OrderedCollections

/// The document of the group in OpenAPI 3.0, as `/openapi/v3/apis/GROUP/VERSION` serves it (kubernetes-wire O1, O3, O4).
package struct OpenAPIV3: Sendable {
  package let document: JSONValue

  package init(_ group: APIGroup, title: String, version: String) {
    var schemas: [String: JSONValue] = [:]
    let paths = OpenAPIPaths(group: group).written {
      Self.operation($0, &schemas)
    } parameter: { name, place, description, required in
      Self.parameter(name, place, "string", description, required: required)
    }
    document = [
      "openapi": "3.0.0", "info": ["title": .string(title), "version": .string(version)], "paths": paths,
      "components": ["schemas": .object(JSONObject(uniqueKeysWithValues: schemas.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))],
    ]
  }

  /// The list of documents, with the hash by which clients keep them.
  package static func root(_ group: APIGroup, hash: String) -> JSONValue {
    let path = "apis/\(group.apiVersion)"
    return ["paths": .object([path: ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]])]
  }

  private static func operation(_ operation: OpenAPIOperation, _ schemas: inout [String: JSONValue]) -> JSONValue {
    let dialect = OpenAPIDialect.v3
    var members: JSONObject = [
      "tags": [.string(operation.kind.group)], "description": .string(operation.description), "operationId": .string(operation.id),
    ]
    if !operation.parameters.isEmpty {
      members["parameters"] = .array(operation.parameters.map { parameter($0.name, "query", $0.type, $0.description) })
    }
    switch operation.body {
    case .none: break
    case .definition(let definition, let types, let required):
      dialect.collect(definition, into: &schemas)
      var body: JSONObject = ["content": content(types, dialect.reference(definition))]
      if required { body["required"] = true }
      members["requestBody"] = .object(body)
    case .patch(let types):
      members["requestBody"] = ["content": content(types, ["description": "The changes.", "type": "object"]), "required": true]
    }
    let answer: JSONValue
    switch operation.answer {
    case .definition(let definition):
      dialect.collect(definition, into: &schemas)
      answer = content(
        operation.action == "list" ? ["application/json", "application/json;stream=watch"] : ["application/json"],
        dialect.reference(definition))
    case .text: answer = content(["text/plain"], ["type": "string"])
    }
    members["responses"] = [
      String(operation.successCode): ["description": operation.successCode == 201 ? "Created" : "OK", "content": answer],
      "401": ["description": "Unauthorized"],
    ]
    members["x-kubernetes-action"] = .string(operation.action)
    members["x-kubernetes-group-version-kind"] = OpenAPIDialect.gvk(operation.kind)
    return .object(members)
  }

  private static func content(_ types: [String], _ schema: JSONValue) -> JSONValue {
    .object(JSONObject(uniqueKeysWithValues: types.map { ($0, ["schema": schema]) }))
  }

  private static func parameter(_ name: String, _ place: String, _ type: String, _ description: String, required: Bool = false) -> JSONValue
  {
    var members: JSONObject = ["name": .string(name), "in": .string(place), "description": .string(description)]
    if required { members["required"] = true }
    members["schema"] = ["type": .string(type), "uniqueItems": true]
    return .object(members)
  }
}
