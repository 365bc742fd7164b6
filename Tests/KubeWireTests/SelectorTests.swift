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
    ])
  func labelRefusals(text: String, message: String) {
    let error = #expect(throws: StatusError.self) { try LabelSelector(parsing: text) }
    #expect(error?.status.code == 400)
    #expect(error?.status.message == message)
  }

  @Test("L13: keys and values must be legal") func illegalLabels() {
    #expect(throws: StatusError.self) { try LabelSelector(parsing: "a/b/c=d") }
    #expect(throws: StatusError.self) { try LabelSelector(parsing: "a=-x") }
    #expect(throws: StatusError.self) { try LabelSelector(parsing: "a in ()") }
  }

  @Test("L14: field selectors") func fields() throws {
    let selector = try FieldSelector(parsing: "metadata.name=a,status.phase!=Failed", allowed: ["metadata.name", "status.phase"])
    #expect(selector.exactName == "a")
    #expect(selector.matches(["metadata.name": "a", "status.phase": "Running"]))
    #expect(!selector.matches(["metadata.name": "a", "status.phase": "Failed"]))
    #expect(!selector.matches(["metadata.name": "b"]))
    #expect(try FieldSelector(parsing: "metadata.name==a\\,b", allowed: ["metadata.name"]).exactName == "a,b")
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
