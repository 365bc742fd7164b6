import CEL
import JSON
import Testing

@Suite struct EvaluationTests {
  static func run(_ source: String, _ variables: CELVariables = CELVariables(), _ types: [String: CELType] = [:]) throws -> JSONValue {
    var environment = CELEnvironment()
    for name in ["job", "x", "y"] { environment.declare(name, types[name] ?? .dyn) }
    return try CELProgram(source, environment: environment).evaluate(variables).json()
  }

  @Test(
    arguments: [
      ("1 + 2 * 3", 7), ("'a' + 'b'", "ab"), ("[1, 2, 3].map(x, x * 2)", [2, 4, 6]), ("[1, 2, 3].filter(x, x > 1)", [2, 3]),
      ("{'a': 1}.a", 1), ("has({'a': 1}.b)", false), ("{'a': 1}.?b.orValue(5)", 5), ("[?optional.none(), 1]", [1]),
      ("true || 1/0 == 1", true), ("1/0 == 1 || true", true), ("'hello'.matches('^h.*o$')", true),
      ("string(timestamp(0))", "1970-01-01T00:00:00Z"),
      ("duration('1h30m').getMinutes()", 90), ("timestamp('2024-01-01T00:00:00Z') + duration('3.5s')", "2024-01-01T00:00:03.5Z"),
      ("'%s is %d'.format(['a', 3])", "a is 3"), ("cel.bind(a, 2, a * a)", 4), ("'a,b'.split(',')", ["a", "b"]),
      ("[1, 2].exists(i, v, i == 1 && v == 2)", true),
      ("math.greatest(1, 5, 3)", 5), ("-5 + 3", -2), ("--5", 5), ("'x' in {'x': 1}", true), ("duration('3500ms')", "3.5s"),
      ("type(1) == int", true), ("optional.of(1).optMap(v, v + 1).value()", 2),
    ] as [(String, JSONValue)])
  func expressions(source: String, expected: JSONValue) throws {
    let value = try Self.run(source)
    #expect(value == expected)
  }

  @Test func readsJSONInPlace() throws {
    let document = try JSONDocument(#"{"name": "a\u0041b", "status": {"state": "ok", "codes": [1, 2, 3.5]}, "big": 9223372036854775808}"#)
    let variables = CELVariables(["job": CELValue(document.root)])
    #expect(try Self.run("job.status.state == 'ok' && job.name == 'aAb' && job.status.codes[1] == 2", variables) == true)
    #expect(try Self.run("job.status.codes.map(c, double(c) * 2.0)", variables) == [2.0, 4.0, 7.0])
    #expect(try Self.run("job", variables) == document.root.value)
  }
}
