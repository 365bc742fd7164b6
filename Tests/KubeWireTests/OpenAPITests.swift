import JSON
import KubeWire
import OrderedCollections
import Testing

@Suite struct OpenAPITests {
  private let group = APIGroup()
  private var v2: OpenAPIV2 { OpenAPIV2(group, title: "t", version: "v") }
  private var v3: JSONValue { OpenAPIV3(group, title: "t", version: "v").document }

  private func walk(_ value: JSONValue, _ visit: (String, JSONValue) -> Void) {
    switch value {
    case .object(let members):
      for (name, member) in members {
        visit(name, member)
        walk(member, visit)
      }
    case .array(let elements): for element in elements { walk(element, visit) }
    default: break
    }
  }

  @Test("O5: no reference dangles and no operationId comes twice") func references() throws {
    for (document, prefix, definitions) in [
      (v2.document, "#/definitions/", v2.document["definitions"]), (v3, "#/components/schemas/", v3["components"]?["schemas"]),
    ] {
      var ids: [String] = []
      walk(document) { name, value in
        if name == "$ref", let target = value.string {
          #expect(target.hasPrefix(prefix) && definitions?[String(target.dropFirst(prefix.count))] != nil, "\(target)")
        }
        if name == "operationId", let id = value.string { ids.append(id) }
      }
      #expect(ids.count == Set(ids).count && ids.count > 15)
    }
  }

  @Test("O3: PATCH tells its kind, and that the server validates fields") func patch() throws {
    let path = "/apis/workflow.example.com/v1alpha1/namespaces/{namespace}/workflows/{name}"
    for document in [v2.document, v3] {
      let patch = try #require(document["paths"]?[path]?["patch"])
      #expect(
        patch["x-kubernetes-group-version-kind"] == ["group": "workflow.example.com", "kind": "Workflow", "version": "v1alpha1"])
      #expect(patch["parameters"]?.array?.contains { $0["name"] == "fieldValidation" && $0["in"] == "query" } == true)
    }
  }

  @Test("C20: strategic merge is nowhere") func strategicMerge() {
    #expect(!v3.text.contains("strategic-merge") && !v2.document.text.contains("strategic-merge"))
  }

  @Test("O4: the kinds carry their group, version and kind as a list; a reference is wrapped in v3") func kinds() throws {
    let workflow = try #require(v3["components"]?["schemas"]?["com.example.workflow.v1alpha1.Workflow"])
    #expect(workflow["x-kubernetes-group-version-kind"] == [["group": "workflow.example.com", "kind": "Workflow", "version": "v1alpha1"]])
    #expect(
      workflow["properties"]?["metadata"]?["allOf"] == [["$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]])
    let steps = workflow["properties"]?["spec"]?["properties"]?["steps"]
    #expect(steps?["x-kubernetes-list-map-keys"] == ["name"] && steps?["x-kubernetes-list-type"] == "map")
  }

  @Test("S7: what server-side apply merges by is what OpenAPI says; ObjectMeta carries Kubernetes' own markers") func mergeKeys() throws {
    let schemas = try #require(v3["components"]?["schemas"])
    let meta = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]?["properties"]
    func markers(_ schema: JSONValue?) -> JSONValue { .object((schema?.object ?? [:]).filter { $0.key.hasPrefix("x-") }).canonical }
    #expect(markers(meta?["finalizers"]) == ["x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"])
    #expect(
      markers(meta?["ownerReferences"]) == [
        "x-kubernetes-list-map-keys": ["uid"], "x-kubernetes-list-type": "map", "x-kubernetes-patch-merge-key": "uid",
        "x-kubernetes-patch-strategy": "merge",
      ])
    #expect(markers(meta?["managedFields"]) == ["x-kubernetes-list-type": "atomic"])
    #expect(markers(meta?["labels"]) == [:] && markers(meta?["annotations"]) == [:])
    #expect(markers(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference"]) == ["x-kubernetes-map-type": "atomic"])
    let spec = schemas["com.example.workflow.v1alpha1.Workflow"]?["properties"]?["spec"]?["properties"]
    #expect(markers(spec?["steps"]?["items"]?["properties"]?["command"]) == ["x-kubernetes-list-type": "atomic"])
    #expect(markers(spec?["templateRef"]) == [:])
  }

  @Test("Every field is described") func descriptions() {
    func check(_ schema: Schema, _ path: String) {
      switch schema.form {
      case .object(let fields, _):
        for field in fields {
          #expect(!field.schema.description.isEmpty, "\(path).\(field.name)")
          check(field.schema, "\(path).\(field.name)")
        }
      case .array(let element, _): check(element, path)
      default: break
      }
    }
    for kind in group.kinds { check(kind.schema, kind.kind) }
  }

  @Test("O6: the protobuf form holds the same names") func protobuf() throws {
    var reader = ProtobufReader(v2.protobuf)
    let document = try reader.message()
    #expect(document.texts[1] == ["2.0"])
    var pathsReader = ProtobufReader(try #require(document.bytes[8]?.first))
    let paths = try pathsReader.message().bytes[2]!.map { bytes -> String in
      var reader = ProtobufReader(bytes)
      return try reader.message().texts[1]!.first!
    }
    #expect(paths == v2.document["paths"]?.object?.keys.map { String($0) })
    var definitionsReader = ProtobufReader(try #require(document.bytes[9]?.first))
    #expect(try definitionsReader.message().bytes[1]?.count == v2.document["definitions"]?.object?.count)
  }
}

/// Enough of a protobuf reader to look into what was written.
private struct ProtobufReader {
  struct Message {
    var bytes: [Int: [[UInt8]]] = [:]
    var texts: [Int: [String]] { bytes.mapValues { $0.map { String(decoding: $0, as: UTF8.self) } } }
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func message() throws -> Message {
    var message = Message()
    while !rest.isEmpty {
      let tag = try self.varint()
      switch tag & 7 {
      case 0: _ = try varint()
      case 1: rest = rest.dropFirst(8)
      case 2:
        let length = Int(try varint())
        try #require(rest.count >= length)
        message.bytes[Int(tag >> 3), default: []].append(Array(rest.prefix(length)))
        rest = rest.dropFirst(length)
      default: Issue.record("wire type \(tag & 7)")
      }
    }
    return message
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let next = rest.popFirst()
      let byte = try #require(next)
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    return value
  }
}
