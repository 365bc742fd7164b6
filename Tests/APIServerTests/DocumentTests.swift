import HTTPMessage
import JSON
import KubeWire
import Testing

@testable import APIServer

@Suite struct DocumentTests {
  private let documents = DocumentSet(APIServerConfiguration())

  private func get(_ path: String, accept: String? = nil, tag: String? = nil, query: QueryParameters = [:]) throws -> HTTPResponse {
    var headers = HTTPHeaders()
    headers["Accept"] = accept
    headers["If-None-Match"] = tag
    return try documents.response(path, to: HTTPRequest(method: "GET", path: path, headers: headers), query: query)
  }

  private func body(_ response: HTTPResponse) -> [UInt8] { if case .bytes(let bytes) = response.body { bytes } else { [] } }

  private let aggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

  @Test("D2, D3: aggregated discovery repeats its parameters in the type") func aggregatedDiscovery() throws {
    let response = try get("/apis", accept: aggregated)
    #expect(response.headers["Content-Type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    #expect(try JSONValue(parsing: body(response))["kind"] == "APIGroupDiscoveryList")
    let old = try get("/apis", accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json")
    #expect(try JSONValue(parsing: body(old))["kind"] == "APIGroupList" && old.headers["Content-Type"] == "application/json")
    #expect(throws: StatusError.self) {
      try get("/apis", accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")
    }
  }

  @Test("D5, D6: one tag per document and form; 304 repeats it; a foreign one is no match") func tags() throws {
    var tags: [String] = []
    for path in ["/api", "/apis", "/apis/workflow.example.com", "/apis/workflow.example.com/v1alpha1", "/openapi/v2", "/openapi/v3"] {
      let response = try get(path)
      let tag = try #require(response.headers["ETag"])
      #expect(tag.hasPrefix("\"") && response.headers["Vary"] == "Accept")
      tags.append(tag)
      let again = try get(path, tag: tag)
      #expect(again.status == 304 && again.headers["ETag"] == tag && body(again).isEmpty)
    }
    tags.append(try #require(get("/apis", accept: aggregated).headers["ETag"]))
    tags.append(try #require(get("/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf").headers["ETag"]))
    #expect(Set(tags).count == tags.count)
    #expect(try get("/apis/workflow.example.com/v1alpha1", tag: tags[1]).status == 200)
    #expect(
      try DocumentSet(APIServerConfiguration()).response("/apis", to: HTTPRequest(method: "GET", path: "/apis"), query: [:]).headers["ETag"]
        == tags[1])
  }

  @Test("O1, O2: the root names the document by its hash, which may then be kept for ever") func openAPIv3() throws {
    let root = try JSONValue(parsing: body(get("/openapi/v3")))
    let url = try #require(root["paths"]?["apis/workflow.example.com/v1alpha1"]?["serverRelativeURL"]?.string)
    let parts = url.split(separator: "?hash=").map(String.init)
    let kept = try get(parts[0], query: ["hash": parts[1]])
    #expect(kept.headers["Cache-Control"]?.contains("immutable") == true && kept.headers["ETag"] == "\"\(parts[1])\"")
    let stale = try get(parts[0], query: ["hash": "OLD"])
    #expect(stale.status == 200 && stale.headers["Cache-Control"] == nil)
  }

  @Test("O6: protobuf for old kubectls, 406 for other forms") func openAPIv2() throws {
    let response = try get("/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    #expect(response.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
    #expect(try get("/openapi/v2", accept: "application/json").headers["Content-Type"] == "application/json")
    #expect(throws: StatusError.self) { try get("/openapi/v2", accept: "text/html") }
  }

  @Test("H4: the version is one that clients can read") func version() throws {
    let version = try JSONValue(parsing: body(get("/version")))
    #expect(version["gitVersion"]?.string?.hasPrefix("v1.33.0") == true && version["minor"] == "33")
  }
}
