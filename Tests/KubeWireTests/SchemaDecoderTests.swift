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

  @Test("C3: what is repeated deep in what nobody describes is reported, too") func repeatedBelow() throws {
    let (value, errors) = try decode(
      #"{"spec":{"parameters":{"n":{"a":1,"a":2},"l":[0,{"b":1,"c":[],"b":3,"b":4}],"n2":1,"n2":{"x":1,"x":2}}},"status":{"mine":{"d":1,"d":2},"mine":5,"steps":[{"name":"s","own":{"e":1,"e":2}}]}}"#
    )
    #expect(
      errors == [
        #"duplicate field "spec.parameters.n.a""#, #"duplicate field "spec.parameters.l[1].b""#, #"duplicate field "spec.parameters.n2""#,
        #"duplicate field "spec.parameters.n2.x""#, #"duplicate field "status.mine.d""#, #"duplicate field "status.mine""#,
        #"duplicate field "status.steps[0].own.e""#,
      ])
    #expect(value["spec"]?["parameters"] == ["n": ["a": 2], "l": [0, ["b": 4, "c": []]], "n2": ["x": 2]])
    #expect(value["status"]?["mine"] == 5)
  }

  @Test("A very long name above a hundred repeated ones makes no very long answer") func longPaths() throws {
    let repeated = (0..<1000).map { #""k\#($0)":1,"k\#($0)":2"# }.joined(separator: ",")
    let errors = try decode(#"{"spec":{"parameters":{"\#(String(repeating: "x", count: 1_000_000))":{\#(repeated)}}}}"#).errors
    #expect(errors.count == 1 && errors[0].utf8.count < 1100)
  }

  @Test(
    "What is called a time is one, or null",
    arguments: ["zork", "", "2024-01-15", "2024-01-15 10:30:00Z", "2024-01-15T10:30:00", "2024-02-30T10:30:00Z", "2024-01-15t10:30:00z"])
  func times(text: String) throws {
    let error = #expect(throws: SchemaDecoder.TypeMismatch.self) { try decode(#"{"metadata":{"creationTimestamp":"\#(text)"}}"#) }
    #expect(error?.message.hasPrefix(#"parsing time "\#(text)" as "2006-01-02T15:04:05Z07:00""#) == true)
    #expect(throws: SchemaDecoder.TypeMismatch.self) { try decode(#"{"status":{"conditions":[{"lastTransitionTime":"\#(text)"}]}}"#) }
    for good in ["null", #""2024-01-15T10:30:00Z""#, #""2024-01-15T10:30:00.123456+02:00""#] {
      #expect(try decode(#"{"metadata":{"creationTimestamp":\#(good)}}"#).errors.isEmpty)
    }
  }

  @Test("C3, C4: what a strict reader says of the text of a patch") func patchTexts() throws {
    func merge(_ text: String) throws -> [String] { PatchText.strictErrors(merge: try JSONDocument(text).root) }
    func json(_ text: String) throws -> [String] { PatchText.strictErrors(json: try JSONDocument(text).root) }
    #expect(
      try merge(#"{"spec":{"suspend":true,"suspend":false},"metadata":{"labels":{"a":"1"}},"spec":null}"#) == [
        #"duplicate field "spec.suspend""#, #"duplicate field "spec""#,
      ])
    #expect(try merge(#"{"zork":[{"a":1},{"a":1,"a":1}]}"#) == [#"duplicate field "zork[1].a""#])
    #expect(
      try json(#"[{"op":"add","path":"/a","value":{"x":1,"x":2}},{"op":"add","path":"/b","path":"/c","value":null,"zork":{"y":1,"y":2}}]"#)
        == [
          #"json patch duplicate field "[0].value.x""#, #"json patch duplicate field "[1].path""#, #"json patch unknown field "[1].zork""#,
        ])
    for text in [#"[]"#, #"[{"op":"test","path":"/a","value":null},{"op":"move","from":"/a","path":"/b"}]"#, "{}", "[1]", "5"] {
      #expect(try json(text).isEmpty, "\(text)")
    }
  }
}
