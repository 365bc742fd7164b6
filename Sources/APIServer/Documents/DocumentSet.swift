internal import HTTPMessage
internal import JSON
internal import KubeWire

/// Discovery, OpenAPI and version: everything that can be answered without looking at an engine (kubernetes-wire D12).
struct DocumentSet: Sendable {
  private static let aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
  private static let protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
  /// How kubectl spells it when it asks.
  private static let protobufQuestion = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

  private let group: APIGroup
  private let plain: [String: StaticDocument]
  private let aggregated: [String: StaticDocument]
  private let openAPIv2: StaticDocument
  private let openAPIv2Protobuf: StaticDocument
  private let openAPIv3: StaticDocument
  private let openAPIv3Path: String

  init(_ configuration: APIServerConfiguration) {
    group = configuration.group
    let discovery = Discovery(group)
    func document(_ value: JSONValue, _ path: String) -> (String, StaticDocument) {
      (path, StaticDocument(value, path: path, isLine: true))
    }
    let title = "workflow-apiserver"
    openAPIv3Path = "/openapi/v3/apis/\(group.apiVersion)"
    openAPIv3 = StaticDocument(OpenAPIV3(group, title: title, version: group.version).document, path: openAPIv3Path)
    let v2 = OpenAPIV2(group, title: title, version: group.version)
    openAPIv2 = StaticDocument(v2.document, path: "/openapi/v2")
    openAPIv2Protobuf = StaticDocument(v2.protobuf, contentType: Self.protobufType, path: "/openapi/v2")
    plain = Dictionary(uniqueKeysWithValues: [
      document(Discovery.coreVersions, "/api"), document(discovery.groupList, "/apis"), document(discovery.apiGroup, "/apis/\(group.name)"),
      document(discovery.resourceList, "/apis/\(group.apiVersion)"), document(configuration.version.json, "/version"),
      ("/openapi/v3", StaticDocument(OpenAPIV3.root(group, hash: openAPIv3.hash), path: "/openapi/v3")),
    ])
    aggregated = [
      "/api": StaticDocument(discovery.aggregatedCore, contentType: Self.aggregatedType, path: "/api", isLine: true),
      "/apis": StaticDocument(discovery.aggregated, contentType: Self.aggregatedType, path: "/apis", isLine: true),
    ]
  }

  var paths: [String] { (plain.keys + ["/openapi/v2", openAPIv3Path]).sorted() }

  /// - Parameter path: without a slash at the end.
  func contains(_ path: String) -> Bool { plain[path] != nil || path == "/openapi/v2" || path == openAPIv3Path }

  /// - Throws: 406 when the client takes none of the forms.
  func response(_ path: String, to request: HTTPRequest, query: QueryParameters) throws(StatusError) -> HTTPResponse {
    let accept = AcceptHeader(request.headers["Accept"])
    if path == "/openapi/v2" {
      switch accept.first(of: ["application/json", Self.protobufType, Self.protobufQuestion]) {
      case "application/json": return openAPIv2.response(to: request)
      case .some: return openAPIv2Protobuf.response(to: request)
      case nil: throw .notAcceptable(accepted: ["application/json", Self.protobufQuestion])
      }
    }
    if path == openAPIv3Path {
      guard accept.first(of: ["application/json"]) != nil else { throw .notAcceptable(accepted: ["application/json"]) }
      // A wrong hash gets the right document, which must then not be kept; a redirect would break the aggregator (kubernetes-wire U1, O2).
      return openAPIv3.response(to: request, isImmutable: query["hash"] == openAPIv3.hash)
    }
    guard let document = plain[path] else { throw .unknownPath }
    for clause in accept.clauses where ["application/json", "*/*", "application/*"].contains(clause.type) {
      guard clause.parameters["as"] != nil else { return document.response(to: request) }
      if clause.parameters["g"] == "apidiscovery.k8s.io", clause.parameters["v"] == "v2",
        clause.parameters["as"] == "APIGroupDiscoveryList",
        let aggregated = aggregated[path]
      {
        return aggregated.response(to: request)
      }
    }
    throw .notAcceptable(accepted: ["application/json"])
  }
}
