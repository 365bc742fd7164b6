import JSON
import KubeWire
import OrderedCollections
import Testing

@Suite struct SchemaDecoderTests {
  private let kind = APIGroup().kind(plural: "workflows")!

  private func decode(_ text: String) throws -> (value: JSONValue, errors: [String]) {
    var decoder = SchemaDecoder(kind: "Workflow")
    let value = try decoder.decode(JSONDocument(text).root, as: kind.schema)
    return (value, decoder.strictErrors)
  }

  @Test("C3: unknown and repeated fields are reported in the order of the text, and dropped") func unknown() throws {
    let (value, errors) = try decode(
      #"{"spec":{"foo":1,"steps":[{"name":"a","nope":2}],"timeout":"1m","timeout":"2m"},"zork":null}"#)
    #expect(
      errors == [
        #"unknown field "spec.foo""#, #"unknown field "spec.steps[0].nope""#, #"duplicate field "spec.timeout""#, #"unknown field "zork""#,
      ])
    // C4: the last one counts.
    #expect(value == ["spec": ["steps": [["name": "a"]], "timeout": "2m"]])
  }

  @Test("Parameters are kept as they are, nulls too; other nulls count as absent") func parameters() throws {
    let (value, errors) = try decode(
      #"{"metadata":{"creationTimestamp":null,"name":"a"},"spec":{"parameters":{"a":null,"b":{"c":[1,"x"]}},"templateRef":null}}"#)
    #expect(errors.isEmpty)
    #expect(value == ["metadata": ["name": "a"], "spec": ["parameters": ["a": nil, "b": ["c": [1, "x"]]]]])
  }

  @Test(
    "Wrong types have the words of Go's decoder",
    arguments: [
      (#"{"spec":{"timeout":5}}"#, "json: cannot unmarshal number into Go struct field Workflow.spec.timeout of type string"),
      (#"{"spec":{"steps":{}}}"#, "json: cannot unmarshal object into Go struct field Workflow.spec.steps of type []object"),
      (
        #"{"metadata":{"labels":{"a":true}}}"#, "json: cannot unmarshal bool into Go struct field Workflow.metadata.labels.a of type string"
      ),
      (#"{"spec":{"suspend":"yes"}}"#, "json: cannot unmarshal string into Go struct field Workflow.spec.suspend of type bool"),
      (
        #"{"metadata":{"generation":1.5}}"#,
        "json: cannot unmarshal number 1.5 into Go struct field Workflow.metadata.generation of type int64"
      ),
    ])
  func types(text: String, message: String) {
    let error = #expect(throws: SchemaDecoder.TypeMismatch.self) { try decode(text) }
    #expect(error?.message == message)
  }

  @Test("The manifest of the README decodes without a word") func manifest() throws {
    let (value, errors) = try decode(
      #"{"apiVersion":"workflow.example.com/v1alpha1","kind":"Workflow","metadata":{"name":"example-workflow","labels":{"team":"build"}},"spec":{"steps":[{"name":"build","image":"golang:1.21","command":["go","build","./..."],"env":[{"name":"A","value":"b"}]}],"timeout":"30m"}}"#
    )
    #expect(errors.isEmpty && value["spec"]?["timeout"] == "30m")
  }

  @Test("A body that is wrong in very many places is refused quickly and shortly") func manyErrors() throws {
    let text = "{" + (0..<50_000).map { "\"x\($0)\":1" }.joined(separator: ",") + "}"
    #expect(try decode(text).errors.count == 100)
    let errors = (0..<50_000).map { FieldError.invalid("metadata.labels", .string("\($0)"), "no") }
    let status = StatusError.invalid(kind: "Workflow", group: "g", name: "a", errors: errors).status
    #expect(status.details?.causes.count == 100 && status.message.hasSuffix("and 49900 more]"))
  }
}
