import CEL
import JSON
import Testing

@Suite struct SchemaTests {
  static let schema: JSONValue = [
    "type": "object",
    "properties": [
      "spec": [
        "type": "object",
        "properties": [
          "replicas": ["type": "integer"], "ratio": ["type": "number"], "deadline": ["type": "string", "format": "date-time"],
          "labels": ["type": "object", "additionalProperties": ["type": "string"]], "note": ["type": "string", "nullable": true],
          "items": ["type": "array", "items": ["$ref": "#/definitions/item"]],
          "free": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
          "port": ["x-kubernetes-int-or-string": true], "retry-after": ["type": "string", "format": "duration"],
        ],
      ]
    ],
    "definitions": [
      "item": [
        "type": "object", "properties": ["name": ["type": "string"], "parts": ["type": "array", "items": ["$ref": "#/definitions/item"]]],
      ]
    ],
  ]

  let environment: CELEnvironment

  init() throws {
    var environment = CELEnvironment()
    environment.declare("object", try CELType(schema: Self.schema, name: "Thing"))
    self.environment = environment
  }

  @Test(arguments: [
    ("object.spec.replica > 1", "undefined field 'replica' of 'Thing.spec' (did you mean 'replicas'?)"),
    ("object.spec.replicas == 'x'", "found no matching overload for '_==_' applied to '(int, string)'"),
    ("object.spec.items.exists(i, i.parts[0].nam == 'x')", "undefined field 'nam' of 'item' (did you mean 'name'?)"),
    ("object.spec.labels.app + 1", "found no matching overload for '_+_' applied to '(string, int)'"),
    ("objct.spec", "undeclared reference to 'objct' (did you mean 'object'?)"),
    ("object.spec.replicas.startWith('a')", "undeclared reference to the member function 'startWith' (did you mean 'startsWith'?)"),
    ("size(object.spec.replicas)", "found no matching overload for 'size' applied to '(int)'"),
  ])
  func refuses(source: String, message: String) {
    let error = #expect(throws: CELError.self) { try CELProgram(source, environment: environment) }
    #expect(error?.message == message)
    #expect(error?.kind == .check)
    #expect(error?.line == 1 && (error?.column ?? 0) > 0)
  }

  @Test(
    arguments: [
      ("object.spec.replicas + 1", 4), ("object.spec.ratio * 2.0", 4.0), ("object.spec.deadline + duration('1h')", "2026-01-01T01:00:00Z"),
      ("object.spec.note == null", true), ("object.spec.items.map(i, i.name)", ["a"]), ("object.spec.free.any.thing", 1),
      ("object.spec.port == 80", true),
      ("object.spec.retry__dash__after > duration('1s')", true), ("object.spec.?note.orValue('x') == null", true),
      ("object.spec.items[0].parts[?0].?name.orValue('none')", "none"),
    ] as [(String, JSONValue)])
  func evaluates(source: String, expected: JSONValue) throws {
    let object: JSONValue = [
      "spec": [
        "replicas": 3, "ratio": 2, "deadline": "2026-01-01T00:00:00Z", "labels": ["app": "x"], "note": nil,
        "items": [["name": "a", "parts": []]],
        "free": ["any": ["thing": 1]], "port": 80, "retry-after": "90s",
      ]
    ]
    let view = try JSONDocument(object.encoded).root
    let value = try CELProgram(source, environment: environment).evaluate(CELVariables(["object": CELValue(view)])).json()
    #expect(value == expected)
  }
}
