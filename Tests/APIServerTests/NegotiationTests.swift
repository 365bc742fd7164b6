import KubeWire
import Testing

@testable import APIServer

@Suite struct NegotiationTests {
  private func form(_ accept: String?, _ answer: AcceptHeader.Answer = .list, includeObject: String = "") throws(StatusError)
    -> ResponseForm
  {
    try AcceptHeader(accept).form(for: answer, kind: "Workflow", query: ["includeObject": includeObject]).form
  }

  private static let metadataList =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
  private static let metadataWatch =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
  private static let table =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

  @Test(
    "N4: no wish is JSON",
    arguments: [nil, "", "*/*", "application/*", "application/json", "application/json, */*", "application/json;charset=utf-8"])
  func anything(accept: String?) throws { #expect(try form(accept) == .plain) }

  @Test("N1, N2: what kubectl and the metadata client send") func clients() throws {
    #expect(try form(Self.table) == .table(.v1, .metadata))
    #expect(try form(Self.table, .watch, includeObject: "Object") == .table(.v1, .object))
    #expect(try form(Self.metadataList) == .partial(.v1))
    #expect(try form(Self.metadataWatch, .watch) == .partial(.v1))
    #expect(try form("application/vnd.kubernetes.protobuf,application/json", .object) == .plain)
    #expect(try form("application/json;g=meta.k8s.io;v=v1beta1;as=Table") == .table(.v1beta1, .metadata))
  }

  @Test("N1: a wish that is not known gives way to the next, by quality") func order() throws {
    #expect(try form("application/json;as=Table;v=v2;g=meta.k8s.io,application/json") == .plain)
    #expect(try form("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9") == .table(.v1, .metadata))
  }

  @Test("N8: nothing that we write is 406") func refused() {
    let status = #expect(throws: StatusError.self) { try form("application/vnd.kubernetes.protobuf") }?.status
    #expect(status?.code == 406 && status?.message == "only the following media types are accepted: application/json, application/yaml")
  }

  @Test("N7: YAML for objects and lists, never for a watch") func yaml() throws {
    #expect(try form("application/yaml") == .plain)
    let status = #expect(throws: StatusError.self) { try form("application/yaml", .watch) }?.status
    #expect(status?.message == "only the following media types are accepted: application/json, application/json;stream=watch")
  }

  @Test(
    "N1: the media type is that of the clause whose form is taken",
    arguments: [
      ("application/yaml", MediaType.yaml), ("application/json;q=0.5,application/yaml", .yaml), ("*/*", .json),
      ("application/json,application/yaml", .json), ("application/yaml;as=Table;g=meta.k8s.io;v=v1,application/json", .yaml),
      ("application/yaml;as=Foo;g=x;v=v1, application/json", .json), ("application/json;as=Foo;g=x;v=v1, application/yaml", .yaml),
    ])
  func mediaType(accept: String, expected: MediaType) throws {
    #expect(try AcceptHeader(accept).form(for: .list, kind: "Workflow", query: [:]).mediaType == expected)
  }

  @Test("N3: an object's form for a list") func partialOfList() {
    let status = #expect(throws: StatusError.self) { try form("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1") }?.status
    #expect(status?.message == "you requested PartialObjectMetadata, but the requested object is a list (WorkflowList)")
  }

  @Test("T1: a bad includeObject") func includeObject() {
    let status = #expect(throws: StatusError.self) { try form(Self.table, includeObject: "Zork") }?.status
    #expect(
      status?.message
        == #"Unable to convert to Table as requested: includeObject: Invalid value: "Zork": must be 'Metadata', 'Object', 'None', or empty"#
    )
    #expect(status?.code == 400)
  }
}
