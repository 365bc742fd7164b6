internal import JSON
internal import OrderedCollections

extension OpenAPIV2 {
  /// The document as openapi.v2.Document, the protobuf form that kubectl up to 1.28 asks for (kubernetes-wire O6). Field numbers are those
  /// of gnostic's OpenAPIv2.proto. Extensions (`x-…`) travel as YAML text, for which JSON will do.
  package var protobuf: [UInt8] {
    var writer = ProtobufWriter()
    writer.string(1, document["swagger"]?.string)
    writer.message(2) { info in
      info.string(1, document["info"]?["title"]?.string)
      info.string(2, document["info"]?["version"]?.string)
    }
    writer.message(8) { paths in
      for (path, item) in document["paths"]?.object ?? [:] {
        paths.message(2) { named in
          named.string(1, path)
          named.message(2) { Self.pathItem(item, &$0) }
        }
      }
    }
    writer.message(9) { Self.namedSchemas(1, document["definitions"]?.object ?? [:], &$0) }
    return writer.bytes
  }

  private static func pathItem(_ item: JSONValue, _ writer: inout ProtobufWriter) {
    let methods = [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("options", 6), ("head", 7), ("patch", 8)]
    for (method, field) in methods {
      if let operation = item[method] { writer.message(field) { Self.operation(operation, &$0) } }
    }
    parameters(9, item["parameters"], &writer)
  }

  private static func operation(_ operation: JSONValue, _ writer: inout ProtobufWriter) {
    strings(1, operation["tags"], &writer)
    writer.string(3, operation["description"]?.string)
    writer.string(5, operation["operationId"]?.string)
    strings(6, operation["produces"], &writer)
    strings(7, operation["consumes"], &writer)
    parameters(8, operation["parameters"], &writer)
    writer.message(9) { responses in
      for (code, response) in operation["responses"]?.object ?? [:] {
        responses.message(1) { named in
          named.string(1, code)
          named.message(2) { value in
            value.message(1) { body in
              body.string(1, response["description"]?.string)
              if let schema = response["schema"] { body.message(2) { item in item.message(1) { Self.schema(schema, &$0) } } }
            }
          }
        }
      }
    }
    strings(10, operation["schemes"], &writer)
    extensions(13, operation, &writer)
  }

  private static func parameters(_ field: Int, _ list: JSONValue?, _ writer: inout ProtobufWriter) {
    for parameter in list?.array ?? [] {
      writer.message(field) { item in item.message(1) { Self.parameter(parameter, &$0) } }
    }
  }

  private static func parameter(_ parameter: JSONValue, _ writer: inout ProtobufWriter) {
    let place = parameter["in"]?.string
    if place == "body" {
      writer.message(1) { body in
        body.string(1, parameter["description"]?.string)
        body.string(2, parameter["name"]?.string)
        body.string(3, place)
        body.bool(4, parameter["required"]?.bool)
        if let schema = parameter["schema"] { body.message(5) { Self.schema(schema, &$0) } }
      }
      return
    }
    writer.message(2) { other in
      // Query parameters have one field more than path parameters, so that from the fifth on the numbers differ.
      let isQuery = place == "query"
      other.message(isQuery ? 3 : 4) { sub in
        sub.bool(1, parameter["required"]?.bool)
        sub.string(2, place)
        sub.string(3, parameter["description"]?.string)
        sub.string(4, parameter["name"]?.string)
        sub.string(isQuery ? 6 : 5, parameter["type"]?.string)
        sub.bool(isQuery ? 20 : 19, parameter["uniqueItems"]?.bool)
      }
    }
  }

  private static func schema(_ schema: JSONValue, _ writer: inout ProtobufWriter) {
    writer.string(1, schema["$ref"]?.string)
    writer.string(2, schema["format"]?.string)
    writer.string(4, schema["description"]?.string)
    writer.double(9, schema["minimum"]?.double)
    strings(19, schema["required"], &writer)
    for value in schema["enum"]?.array ?? [] { writer.message(20) { $0.string(2, value.text) } }
    if let additional = schema["additionalProperties"] {
      writer.message(21) { item in item.message(1) { Self.schema(additional, &$0) } }
    }
    if let type = schema["type"]?.string { writer.message(22) { $0.string(1, type) } }
    if let items = schema["items"] { writer.message(23) { item in item.message(1) { Self.schema(items, &$0) } } }
    if let properties = schema["properties"]?.object { writer.message(25) { namedSchemas(1, properties, &$0) } }
    extensions(31, schema, &writer)
  }

  private static func namedSchemas(_ field: Int, _ schemas: JSONObject, _ writer: inout ProtobufWriter) {
    for (name, schema) in schemas {
      writer.message(field) { named in
        named.string(1, name)
        named.message(2) { Self.schema(schema, &$0) }
      }
    }
  }

  private static func strings(_ field: Int, _ list: JSONValue?, _ writer: inout ProtobufWriter) {
    for text in list?.array ?? [] { writer.string(field, text.string) }
  }

  private static func extensions(_ field: Int, _ value: JSONValue, _ writer: inout ProtobufWriter) {
    for (name, member) in value.object ?? [:] where name.hasPrefix("x-") {
      writer.message(field) { named in
        named.string(1, name)
        named.message(2) { $0.string(2, member.text) }
      }
    }
  }
}
