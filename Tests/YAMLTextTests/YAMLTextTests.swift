import JSON
import OrderedCollections
import Testing
import YAMLText

@Suite("YAML")
struct YAMLTextTests {
  @Test(
    "scalars are typed as YAML 1.2 types them",
    arguments: [
      ("1", JSONValue.int(1)), ("-7", .int(-7)), ("1.5", .double(1.5)), ("true", .bool(true)), ("null", .null), ("~", .null), ("", .null),
      ("yes", .string("yes")), ("on", .string("on")), ("12:30", .string("12:30")), ("\"1\"", .string("1")), ("1e400", .string("1e400")),
      ("2026-11-22", .string("2026-11-22")), ("0x10", .string("0x10")),
    ])
  func scalars(_ text: String, _ value: JSONValue) throws { #expect(try YAMLText.json("a: \(text)") == ["a": value]) }

  @Test("JSON is YAML")
  func json() throws {
    #expect(try YAMLText.json(#"{"a":[1,{"b":"c\u00e9"}],"d":{}}"#) == ["a": [1, ["b": "cé"]], "d": .emptyObject])
  }

  @Test(
    "what is written is read as the same",
    arguments: [
      JSONValue.object(["a": "yes", "no": "n", "1": 1, "t": "a: b # c", "l": "one\ntwo\n", "s": " x", "e": "", "q": "\"'", "z": "\u{1}\t"]),
      [
        "list": [1, 2.5, true, .null, "true", "null", "-", "- a", "&a", "*a", "{", "0x1", "1_0", "2026-11-22T00:00:00Z"], "n": [],
        "m": .emptyObject,
      ],
      "text", 5, .null, ["deep": ["a": ["b": [["c": ["d"]]]]]],
    ])
  func roundTrip(_ value: JSONValue) throws { #expect(try YAMLText.json(YAMLText.text(value)) == value, "\(YAMLText.text(value))") }

  @Test(
    "faults name the line",
    arguments: [
      ("a: 1\na: 2\n", "the key 'a' is there twice"), ("a: [1\n", "line 2"), ("a: 1\n---\nb: 2\n", "line"),
      ("? [a]\n: b\n", "a key must be a text"),
      ("a: &x [1]\nb: *x\n", "aliases are not supported"),
    ])
  func faults(_ text: String, _ message: String) {
    #expect { try YAMLText.json(text) } throws: { "\($0)".contains(message) }
  }

  @Test("an ampersand in a text is no anchor")
  func ampersand() throws { #expect(try YAMLText.json("a: x && y &z\nb: '*z'\n") == ["a": "x && y &z", "b": "*z"]) }

  @Test("what nests too deep is refused, not overrun")
  func deep() async {
    await Task.detached {
      #expect(throws: YAMLText.Failure.self) { try YAMLText.json(String(repeating: "[", count: 200_000)) }
      #expect(throws: YAMLText.Failure.self) { try YAMLText.json(String(repeating: "- ", count: 200_000)) }
      #expect(throws: Never.self) { try YAMLText.json(String(repeating: "[", count: 900) + String(repeating: "]", count: 900)) }
    }.value
  }
}
