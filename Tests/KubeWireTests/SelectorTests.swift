import KubeWire
import Testing

@Suite struct SelectorTests {
  @Test(
    "L13: the whole grammar of label selectors",
    arguments: [
      ("app=x", true), ("app==x", true), ("app!=x", false), ("app", true), ("!app", false), ("nope", false), ("!nope", true),
      ("nope!=x", true),
      ("app in (x,y)", true), ("app in (y)", false), ("app notin (y)", true), ("nope notin (y)", true), ("app=x,tier=2", true),
      ("tier>1", true),
      ("tier<2", false), ("app = x , tier", true), ("", true), ("empty=", true), ("in=out", true), ("example.com/team in (a)", true),
      ("empty in ()", true), ("app in ()", false), ("nope in ()", false), ("app notin ()", true), ("empty notin ()", false),
    ])
  func labelGrammar(text: String, matches: Bool) throws {
    let labels = ["app": "x", "tier": "2", "empty": "", "in": "out", "example.com/team": "a"]
    #expect(try LabelSelector(parsing: text).matches(labels) == matches)
  }

  @Test(
    "L13: refusals carry the text of Go's parser",
    arguments: [
      ("a===b", "unable to parse requirement: found '=', expected: identifier"),
      ("=b", "found '=', expected: !, identifier, or 'end of string'"),
      ("a=b,", "found '', expected: identifier after ','"),
      ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
      ("a in b", "unable to parse requirement: found 'b' expected: '('"), ("a=b c", "found 'c', expected: ',' or 'end of string'"),
      ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
      ("a in (b,", "unable to parse requirement: found '', expected: ',', or identifier"),
      ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
    ])
  func labelRefusals(text: String, message: String) {
    let error = #expect(throws: StatusError.self) { try LabelSelector(parsing: text) }
    #expect(error?.status.code == 400)
    #expect(error?.status.message == message)
  }

  @Test(
    "L13: illegal keys have the texts of a key",
    arguments: [("-a", "name part must consist of"), ("a/b/c", "a valid label key must consist of")])
  func illegalKeys(key: String, text: String) {
    let error = #expect(throws: StatusError.self) { try LabelSelector(parsing: key + "=x") }
    let start = "unable to parse requirement: <nil>: Invalid value: \"\(key)\": \(text)"
    #expect(error?.status.message.hasPrefix(start) == true, "\(error?.status.message ?? "")")
  }

  @Test("L13: keys and values must be legal") func illegalLabels() {
    #expect(throws: StatusError.self) { try LabelSelector(parsing: "a/b/c=d") }
    #expect(throws: StatusError.self) { try LabelSelector(parsing: "a=-x") }
  }

  @Test("L14: field selectors") func fields() throws {
    let selector = try FieldSelector(parsing: "metadata.name=a,status.phase!=Failed", allowed: ["metadata.name", "status.phase"])
    #expect(selector.exactName == "a")
    #expect(selector.matches(["metadata.name": "a", "status.phase": "Running"]))
    #expect(!selector.matches(["metadata.name": "a", "status.phase": "Failed"]))
    #expect(!selector.matches(["metadata.name": "b"]))
    #expect(try FieldSelector(parsing: "metadata.name==a\\,b", allowed: ["metadata.name"]).exactName == "a,b")
  }

  @Test(
    "L14: values escape what separates",
    arguments: [
      ("a=b", "unescaped character in value: 61"), (#"w\-a"#, #"invalid escape sequence: \-"#),
      (#"w\"#, #"invalid escape sequence: \"#),
    ])
  func fieldEscapes(value: String, text: String) {
    let error = #expect(throws: StatusError.self) { try FieldSelector(parsing: "metadata.name=" + value, allowed: nil) }
    #expect(error?.status.message == "invalid field selector: " + text)
  }

  @Test("L14: unknown fields and nonsense are 400") func fieldRefusals() {
    let unknown = #expect(throws: StatusError.self) { try FieldSelector(parsing: "spec.nope=1", allowed: ListOptions.commonFields) }
    #expect(unknown?.status.message == "field label not supported: spec.nope")
    let nonsense = #expect(throws: StatusError.self) { try FieldSelector(parsing: "zork", allowed: ListOptions.commonFields) }
    #expect(nonsense?.status.message == "invalid selector: 'zork'; can't understand 'zork'")
  }

  @Test("A long selector costs no more than its length") func longSelectors() {
    let long = String(repeating: "a", count: 100_000)
    #expect(throws: StatusError.self) { try FieldSelector(parsing: long, allowed: ListOptions.commonFields) }
    #expect(throws: StatusError.self) { try LabelSelector(parsing: long + "=b") }
  }
}
