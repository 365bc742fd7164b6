import JSON
import OrderedCollections
import Testing

@Suite struct ValueTests {
  /// The examples of RFC 7386, appendix A: original, patch, result.
  @Test(arguments: [
    (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
    (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
    (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#), (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
    (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#), (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
    (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
    (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
    (#"{"a":"foo"}"#, "null", "null"), (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
    ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    // The example of section 3.
    (
      #"{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}"#,
      #"{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}"#,
      #"{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}"#
    ),
  ])
  func mergePatch(_ original: String, _ patch: String, _ result: String) throws {
    #expect(try JSONValue(parsing: original).merging(patch: JSONValue(parsing: patch)).text == result)
  }

  @Test func canonicalOrdersNamesByTheirBytes() throws {
    let value = try JSONValue(parsing: #"{"b":{"z":1,"a":[{"y":1,"x":2}]},"a":1,"é":2,"Z":3,"🚀":4,"\uFFFF":5,"":6}"#)
    #expect(value.canonical.text == "{\"\":6,\"Z\":3,\"a\":1,\"b\":{\"a\":[{\"x\":2,\"y\":1}],\"z\":1},\"é\":2,\"\u{FFFF}\":5,\"🚀\":4}")
    #expect(value.canonical.canonical == value.canonical)
    let other = try JSONValue(parsing: #"{"":6,"🚀":4,"\uFFFF":5,"Z":3,"é":2,"a":1,"b":{"a":[{"x":2,"y":1}],"z":1}}"#)
    #expect(other.canonical.encoded == value.canonical.encoded)
    // The order of an array is part of it.
    #expect(JSONValue.array([2, 1]).canonical == [2, 1])
  }

  @Test func membersAreSetAndRemoved() {
    var value: JSONValue = ["a": 1]
    value["b"] = ["c": true]
    value["a"] = nil
    #expect(value.text == #"{"b":{"c":true}}"#)
    value["n"] = .some(.null)
    #expect(value["n"] == .null && value["m"] == nil)
    var scalar: JSONValue = 3
    scalar["a"] = 1
    #expect(scalar == ["a": 1])
  }

  @Test func literalsAndWords() {
    let value: JSONValue = ["null": nil, "bool": true, "int": -1, "double": 1.5, "string": "x", "array": [1], "object": [:]]
    #expect(value.object!.values.map(\.typeName) == ["null", "boolean", "integer", "number", "string", "array", "object"])
    #expect(value["int"]?.double == -1 && value["double"]?.int == nil && value["string"]?.double == nil && value["null"]?.isNull == true)
    #expect(JSONValue.int(1) != .double(1))
  }
}
