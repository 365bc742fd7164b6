import JSON
import OrderedCollections
import TestSupport
import Testing

@testable import YAMLText

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
      ("a: &x [1]\nb: *x\n", "aliases are not supported"), ("- &x [1]\n- {*x: 1}\n", "aliases are not supported"),
      ("- &x\u{2028}[1]\n-\u{2028}*x\n", "aliases are not supported"), ("1: a\n'1': b\n", "the key '1' is there twice"),
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
      await Task.yield()
      #expect(throws: YAMLText.Failure.self) { try YAMLText.json(String(repeating: "- ", count: 200_000)) }
      await Task.yield()
      #expect(throws: Never.self) { try YAMLText.json(String(repeating: "[", count: 900) + String(repeating: "]", count: 900)) }
    }.value
  }

  /// Each of them kept the parser, or what stood before it, busy for minutes or for days.
  @Test("hostile texts cost what their length costs", .timeLimit(.minutes(10)))
  func hostile() async {
    let size = 1 << 18
    func fill(_ piece: String) -> String { String(repeating: piece, count: size / piece.utf8.count) }
    let depth = 900
    let texts = [
      "- " + fill("-&") + "\n*x\n", "- " + fill("&a ") + "\n- *b\n", "- " + fill("*") + "&x\n", "a: &" + fill("x") + "\nb: *y\n",
      // A key that is a list, in a key, and so on: each level compares all that is in it.
      String(repeating: "{", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "{? ", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "{ # c\n", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "{!t ", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "{a,", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "{']',", count: depth) + "[" + fill("a,") + "]" + String(repeating: "}", count: depth),
      String(repeating: "? ", count: depth) + "[" + fill("a,") + "]",
      "[" + fill(String(repeating: "{", count: 200) + "a" + String(repeating: ": b}", count: 200) + ",\n") + "]",
      "[" + fill(String(repeating: "{", count: 200) + "'a'" + String(repeating: ": b}", count: 200) + ",\n") + "]",
      String(repeating: "[", count: depth) + fill("a,") + String(repeating: "]", count: depth),
      String(repeating: "[\"]\",", count: depth) + fill("a,") + String(repeating: "]", count: depth),
      (0..<size / 16).map { "%TAG !\($0)! b\n" }.joined() + "--- a\n", fill("9"), "- 1." + fill("9") + "e9",
      (0..<size / 16).map { "k\($0): 1\nk\($0): 1\n" }.joined(), "? " + fill("k") + "\n: 1\n? " + fill("k") + "\n: 1\n",
    ]
    for text in texts {
      let result = await onOwnThread { Result { () throws(YAMLText.Failure) in _ = try YAMLText.json(text) } }
      // Nor is what was sent sent back.
      if case .failure(let error) = result { #expect(error.description.utf8.count < 1024) }
    }
  }

  @Test(
    "what people write is never too much",
    arguments: [
      #"    - {name: "s{{ i }}", command: ["echo", "a]"], env: {A: "{{ x['y'] }}", B: "${{ y }}"}, image: "{{ registry }}:{{ tag }}"}"#
        + "\n",
      "    - name: s\n      script: |\n        if [ \"$a\" = '{' ]; then echo ${a[1]}; fi # what? [\n        f() { echo \"{}\"; }\n",
    ])
  func bearable(_ step: String) throws {
    let text = "kind: Workflow\nspec:\n  steps:\n" + String(repeating: step, count: 49_152 / step.utf8.count)
    #expect(try YAMLText.json(text)["kind"] == "Workflow")
  }

  @Test("long JSON nests as it likes")
  func longJSON() async throws {
    let text = "[" + String(repeating: #"{"a":[{"b":"}"}]},"#, count: 40_000) + "1]"
    let result = await onOwnThread { Result { () throws(YAMLText.Failure) in try YAMLText.json(text).array?.count } }
    #expect(try result.get() == 40_001)
  }
}
