import KubeWire
import Testing

@testable import APIServer

@Suite struct RequestInfoTests {
  private func info(_ method: String, _ path: String, _ query: String = "") -> RequestInfo? {
    RequestInfo(method: method, path: path, query: QueryParameters(query))
  }
  private let base = "/apis/workflow.example.com/v1alpha1"

  @Test("U6: verbs") func verbs() {
    let collection = base + "/namespaces/default/workflows"
    #expect(info("GET", collection)?.verb == "list")
    #expect(info("GET", collection, "watch=zork")?.verb == "watch")
    #expect(info("GET", collection, "watch=false")?.verb == "list")
    #expect(info("POST", collection)?.verb == "create")
    #expect(info("DELETE", collection)?.verb == "deletecollection")
    #expect(info("DELETE", collection + "/a")?.verb == "delete")
    #expect(info("HEAD", collection + "/a")?.verb == "get")
    #expect(info("PATCH", collection + "/a/status")?.subresource == "status")
  }

  @Test("U6: a field selector for one name puts it into the attributes") func fieldSelector() {
    let info = info("GET", base + "/namespaces/default/workflows", "fieldSelector=metadata.name%3Da&watch=true")
    #expect(info?.name == "a" && info?.hasName == false && info?.verb == "watch")
  }

  @Test("A4: the selectors of a collection, also by fields of one kind; none that cannot be read") func selectors() {
    let list = info("GET", base + "/workflows", "labelSelector=app%20in%20(x,y),!b&fieldSelector=metadata.name%3Da,status.phase!%3DFailed")
    #expect(list?.labelSelector?.requirements.count == 2 && list?.fieldSelector?.requirements.count == 2 && list?.name == "a")
    let odd = info("GET", base + "/workflows", "labelSelector=%3D%3D&fieldSelector=a")
    #expect(odd?.labelSelector == nil && odd?.fieldSelector == nil)
    #expect(info("GET", base + "/namespaces/d/workflows/a", "labelSelector=a%3Db")?.labelSelector == nil)
  }

  @Test("Cluster-scoped and all-namespace paths have no namespace") func scope() {
    #expect(info("GET", base + "/workflows")?.namespace == nil)
    #expect(info("GET", base + "/workflowbackends/local")?.name == "local")
    #expect(info("GET", base + "/")?.isResourceRequest == false)
    #expect(info("GET", "/apis/workflow.example.com")?.isResourceRequest == false)
  }

  @Test("U5: doubled slashes and undecodable paths are no paths", arguments: ["//apis", "/apis//x", "/apis/%zz"]) func bad(path: String) {
    #expect(info("GET", path) == nil)
  }

  private func refusal(_ method: String, _ path: String) -> StatusError? {
    let info = info(method, base + path)!
    return #expect(throws: StatusError.self) { try Routes.route(info, kind: Samples.group.kind(plural: info.resource)!) }
  }

  @Test("A known path with another method is 405 and says what there is") func methods() {
    #expect(refusal("POST", "/workflows")?.headers["Allow"] == "GET")
    #expect(refusal("POST", "/namespaces/d/workflows/a")?.headers["Allow"] == "GET, PUT, PATCH, DELETE")
    #expect(refusal("DELETE", "/namespaces/d/workflows/a/status")?.headers["Allow"] == "GET, PUT, PATCH")
    #expect(refusal("PUT", "/namespaces/d/workflowtemplates/a")?.headers["Allow"] == "GET")
    #expect(refusal("DELETE", "/namespaces/d/workflowtemplates/a")?.status.code == 405)
    #expect(refusal("DELETE", "/namespaces/d/workflows/a/log")?.status.code == 405)
    #expect(refusal("POST", "/workflowbackends")?.status.reason == "MethodNotAllowed")
    // C27
    for subresource in ["status", "log", "cancel", "retry"] {
      let status = refusal("DELETE", "/namespaces/d/workflows/a/\(subresource)")?.status
      #expect(status?.message == #"delete is not supported on resources of kind "workflows.workflow.example.com""#)
      #expect(status?.details?.kind == "workflows" && status?.details?.group == "workflow.example.com")
    }
    #expect(
      refusal("POST", "/namespaces/d/workflows/a")?.status.message == "the server does not allow this method on the requested resource")
  }

  @Test("What is no place is 404") func places() {
    #expect(refusal("GET", "/workflows/a")?.status.code == 404)
    #expect(refusal("PATCH", "/namespaces/d/workflows/a/scale")?.status.code == 404)
    #expect(refusal("GET", "/namespaces/d/workflowtemplates/a/log")?.status.code == 404)
    #expect(refusal("GET", "/namespaces/d/workflowbackends")?.status.message == "the server could not find the requested resource")
  }

  @Test("Every verb of discovery has a route") func promises() throws {
    for kind in Samples.group.kinds {
      let scope = kind.isNamespaced ? "/namespaces/d" : ""
      for verb in kind.verbs {
        let (method, suffix, query) =
          switch verb {
          case "create": ("POST", "", "")
          case "delete": ("DELETE", "/a", "")
          case "deletecollection": ("DELETE", "", "")
          case "get": ("GET", "/a", "")
          case "patch": ("PATCH", "/a", "")
          case "update": ("PUT", "/a", "")
          case "watch": ("GET", "", "watch=1")
          default: ("GET", "", "")
          }
        let found = try #require(info(method, "\(base)\(scope)/\(kind.plural)\(suffix)", query))
        #expect(found.verb == verb)
        _ = try Routes.route(found, kind: kind)
      }
    }
  }

  @Test("U6: a method that HTTP does not have is no verb, and a name in a selector is a name for list and watch only") func oddMethods() {
    for method in ["LIST", "WATCH", "DELETECOLLECTION", "CREATE", "delete", "USE", "OPTIONS"] {
      let info = RequestInfo(method: method, path: "/apis/workflow.example.com/v1alpha1/namespaces/d/workflows", query: [:])
      #expect(info?.verb == "", "\(method)")
    }
    let query: QueryParameters = ["fieldSelector": "metadata.name=a"]
    func name(_ method: String) -> String? {
      RequestInfo(method: method, path: "/apis/workflow.example.com/v1alpha1/namespaces/d/workflows", query: query)?.name
    }
    #expect(name("GET") == "a" && name("DELETE") == "")
  }
}
