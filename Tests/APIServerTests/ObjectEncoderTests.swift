import JSON
import KubeWire
import Testing
import Translation

@testable import APIServer

@Suite struct ObjectEncoderTests {
  private let objects = [Samples.workflow("a", version: 7), Samples.workflow("b", version: 9)]

  private func list(_ form: ResponseForm, _ result: ListResult? = nil) throws -> JSONValue {
    try JSONValue(
      parsing: Samples.encoder(form).list(result ?? ListResult(items: objects, version: 11, continueToken: "x", remainingItemCount: 3)))
  }

  @Test("L1, L3, L8: a list has kind, version, items and where it goes on") func plainList() throws {
    let list = try list(.plain)
    #expect(list["kind"] == "WorkflowList" && list["apiVersion"] == "workflow.example.com/v1alpha1")
    #expect(list["metadata"] == ["resourceVersion": "11", "continue": "x", "remainingItemCount": 3])
    #expect(list["items"]?.array?.first?["kind"] == "Workflow" && list["items"]?.array?.first?["metadata"]?["resourceVersion"] == "7")
  }

  @Test("L1: an empty list has items and a version") func emptyList() {
    #expect(
      Samples.encoder(.plain).list(ListResult(items: [], version: 5)).text
        == #"{"kind":"WorkflowList","apiVersion":"workflow.example.com/v1alpha1","metadata":{"resourceVersion":"5"},"items":[]}"#)
  }

  @Test("N2: metadata lists, with kind and apiVersion in every item") func partialList() throws {
    for version in [ResponseForm.MetaVersion.v1, .v1beta1] {
      let list = try list(.partial(version))
      #expect(list["kind"] == "PartialObjectMetadataList" && list["apiVersion"] == .string(version.apiVersion))
      let item = try #require(list["items"]?.array?.first)
      #expect(item["kind"] == "PartialObjectMetadata" && item["apiVersion"] == .string(version.apiVersion) && item["spec"] == nil)
      #expect(item["metadata"]?["uid"] == "u-a" && item["metadata"]?["resourceVersion"] == "7")
    }
  }

  @Test("T1, T2, T4: a table has a cell for each column, ages as text, and its rows' metadata") func table() throws {
    let table = try list(.table(.v1, .metadata))
    #expect(table["kind"] == "Table" && table["metadata"]?["continue"] == "x" && table["metadata"]?["resourceVersion"] == "11")
    let columns = try #require(table["columnDefinitions"]?.array)
    #expect(
      columns.map { $0["name"]!.string! } == [
        "Name", "Template", "Phase", "Progress", "Started", "Duration", "Age", "Backend", "ID", "URL", "Message",
      ])
    #expect(columns.filter { $0["priority"] == 1 }.count == 4)
    let row = try #require(table["rows"]?.array?.first)
    #expect(row["cells"] == ["a", "nightly", "Running", "1/2", "38m", "5m3s", "", "local", "7", "", ""])
    #expect(row["object"]?["kind"] == "PartialObjectMetadata" && row["object"]?["metadata"]?["namespace"] == "default")
  }

  @Test("T1: includeObject") func included() throws {
    #expect(try list(.table(.v1, .object))["rows"]?.array?.first?["object"]?["kind"] == "Workflow")
    #expect(try list(.table(.v1, .none))["rows"]?.array?.first?["object"]?.isNull == true)
  }

  @Test("T3: one object is a table with one row and the object's version") func single() throws {
    let table = try JSONValue(parsing: Samples.encoder(.table(.v1beta1, .metadata)).object(objects[0]))
    #expect(
      table["rows"]?.array?.count == 1 && table["metadata"]?["resourceVersion"] == "7" && table["apiVersion"] == "meta.k8s.io/v1beta1")
  }

  @Test("C2: what a dry run made has no version") func dryRun() throws {
    let object = Samples.workflow("a", version: 0)
    let written = try JSONValue(parsing: Samples.encoder(.plain).object(object))
    #expect(written["metadata"]?["resourceVersion"] == nil && written["metadata"]?["uid"] == "u-a" && written["spec"] != nil)
  }

  @Test("N10: pretty") func pretty() {
    #expect(
      JSONPretty.print(Array(#"{"a":[1,{"b":"x,{\"y"}],"c":{},"d":[]}"#.utf8)).text
        == """
        {
          "a": [
            1,
            {
              "b": "x,{\\"y"
            }
          ],
          "c": {},
          "d": []
        }
        """)
  }
}
