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

  @Test("Canonically a whole number is an integer, in whatever form it came") func canonicalNumbers() throws {
    let value = try JSONValue(
      parsing: #"{"b":[1.0,-0.0,2e3,1e15,9007199254740992.0],"a":{"n":1.50,"big":1e19,"huge":-9223372036854775808.0}}"#)
    #expect(
      value.canonical == [
        "a": ["big": 1e19, "huge": .int(.min), "n": 1.5], "b": [1, 0, 2000, .int(1_000_000_000_000_000), .int(9_007_199_254_740_992)],
      ])
    #expect(value.canonical == value.canonical.canonical)
    // 2^63 is no Int64.
    #expect(try JSONValue(parsing: "9223372036854775808.0").canonical == .double(9_223_372_036_854_775_808))
  }

  @Test("Texts and names are equal byte for byte, not as Unicode sees them") func exactTexts() {
    let (composed, decomposed): (String, String) = ("caf\u{E9}", "cafe\u{301}")
    // Three bytes each, the second the canonical form of the first.
    let (angstrom, letter): (String, String) = ("\u{212B}", "A\u{30A}")
    #expect(composed == decomposed && angstrom == letter && angstrom.utf8.count == letter.utf8.count)
    for (a, b) in [(composed, decomposed), (angstrom, letter)] {
      #expect(!a.hasSameBytes(as: b) && a.hasSameBytes(as: String(decoding: Array(a.utf8), as: UTF8.self)))
      #expect(JSONValue.string(a) != .string(b) && JSONValue.string(a).canonical != JSONValue.string(b).canonical)
      #expect(JSONValue.array([1, .string(a)]) != [1, .string(b)])
      #expect(JSONValue.object(["x": .string(a)]) != .object(["x": .string(b)]))
      #expect(JSONValue.object([a: 1]) != .object([b: 1]) && JSONValue.object([a: 1]).canonical != JSONValue.object([b: 1]).canonical)
      #expect(Set([JSONValue.string(a), .string(b), .string(a)]).count == 2)
      #expect(!["k": a].hasSameBytes(as: ["k": b]) && !["k": a].hasSameBytes(as: [b: a]) && ![a: "v"].hasSameBytes(as: [b: "v"]))
      #expect(["k": a, "l": b].hasSameBytes(as: ["l": b, "k": a]) && !["k": a].hasSameBytes(as: ["k": a, "l": b]))
      #expect([a, b].hasSameBytes(as: [a, b]) && ![a, b].hasSameBytes(as: [b, a]) && ![a].hasSameBytes(as: [a, b]))
    }
    #expect("".hasSameBytes(as: "") && !"".hasSameBytes(as: "a"))
    let long = String(repeating: "x", count: 1000)
    #expect(long.hasSameBytes(as: String(repeating: "x", count: 1000)) && !long.hasSameBytes(as: long.dropLast() + "y"))
  }
}
