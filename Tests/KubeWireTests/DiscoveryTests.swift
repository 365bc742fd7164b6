import JSON
import KubeWire
import Testing

@Suite struct DiscoveryTests {
  private let discovery = Discovery(APIGroup())

  @Test("D8: every resource has singularName, kind, namespaced and verbs") func resourceList() throws {
    let list = discovery.resourceList
    #expect(list["kind"] == "APIResourceList" && list["groupVersion"] == "workflow.example.com/v1alpha1")
    let resources = try #require(list["resources"]?.array)
    for resource in resources {
      #expect(resource["singularName"]?.string != nil && resource["kind"]?.string != nil && resource["namespaced"]?.bool != nil)
      #expect(resource["verbs"]?.array?.isEmpty == false)
    }
    #expect(
      resources.map { $0["name"]! } == [
        "workflows", "workflows/status", "workflows/log", "workflows/cancel", "workflows/retry", "workflowtemplates", "workflowbackends",
      ])
    #expect(resources.first?["shortNames"] == ["wf"] && resources.last?["namespaced"] == false)
  }

  @Test("D10: never in the category all") func categories() {
    #expect(!discovery.resourceList.text.contains("\"all\"") && !discovery.aggregated.text.contains("\"all\""))
  }

  @Test("D8: aggregated discovery names the responseKind of everything") func aggregated() throws {
    #expect(discovery.aggregated["apiVersion"] == "apidiscovery.k8s.io/v2")
    let version = try #require(discovery.aggregated["items"]?.array?.first?["versions"]?.array?.first)
    #expect(version["freshness"] == "Current")
    for resource in version["resources"]?.array ?? [] {
      #expect(resource["responseKind"]?["kind"]?.string != nil)
      for subresource in resource["subresources"]?.array ?? [] { #expect(subresource["responseKind"]?["group"] == "workflow.example.com") }
    }
    #expect(version["resources"]?.array?.count == 3)
  }

  @Test("Another group is used everywhere") func group() {
    let other = Discovery(APIGroup(name: "ci.acme.org", version: "v1"))
    #expect(!other.resourceList.text.contains("workflow.example.com") && other.groupList.text.contains("ci.acme.org/v1"))
    #expect(!OpenAPIV3(APIGroup(name: "ci.acme.org", version: "v1"), title: "", version: "").document.text.contains("workflow.example.com"))
  }
}
