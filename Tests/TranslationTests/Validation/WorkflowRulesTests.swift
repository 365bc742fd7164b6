import JSON
import KubeWire
import Testing

@testable import Translation

@Suite struct WorkflowRulesTests {
  @Test(arguments: [
    (#"{}"#, "spec: Required value: exactly one of templateRef and steps says what to run"),
    (
      #"{"templateRef":{"name":"a"},"steps":[{"name":"a","command":["x"]}]}"#,
      "spec: Invalid value: \"templateRef, steps\": templateRef and steps exclude each other"
    ),
    (#"{"templateRef":{}}"#, "spec.templateRef.name: Required value"),
    (#"{"templateRef":{"name":"A_b"}}"#, "spec.templateRef.name: Invalid value: \"A_b\""),
    (#"{"steps":[]}"#, "spec.steps: Required value"), (#"{"steps":[{"command":["x"]}]}"#, "spec.steps[0].name: Required value"),
    (#"{"steps":[{"name":"a"}]}"#, "spec.steps[0].command: Required value"),
    (#"{"steps":[{"name":"a","command":["x"]},{"name":"a","command":["x"]}]}"#, "spec.steps[1].name: Duplicate value: \"a\""),
    (#"{"steps":[{"name":"a","command":["x"],"env":[{"name":"A=B"}]}]}"#, "spec.steps[0].env[0].name: Invalid value: \"A=B\""),
    (
      #"{"steps":[{"name":"a","command":["x"],"env":[{"name":"A"},{"name":"B"},{"name":"A","value":"2"}]}]}"#,
      "spec.steps[0].env[2].name: Duplicate value: \"A\""
    ),
    (#"{"steps":[{"name":"a","command":["x"]}],"parameters":{"x":1}}"#, "spec.parameters: Forbidden"),
    (#"{"templateRef":{"name":"a"},"timeout":"30"}"#, "spec.timeout: Invalid value: \"30\": must be a duration"),
    (#"{"templateRef":{"name":"a"},"timeout":"5ms"}"#, "spec.timeout: Invalid value: \"5ms\": must be at least 1s"),
    (#"{"templateRef":{"name":"a"},"schedule":"* * *"}"#, "spec.schedule: Invalid value"),
    (
      #"{"templateRef":{"name":"a"},"schedule":"61 * * * *"}"#,
      "spec.schedule: Invalid value: \"61 * * * *\": \"61\" is no legal minute (0-59)"
    ),
    (#"{"templateRef":{"name":"a"},"cancel":true}"#, "spec.cancel: Forbidden"),
  ])
  func refuses(_ spec: String, _ expected: String) throws {
    let errors = WorkflowRules.errors(spec: try JSONValue(parsing: spec)).map(\.description)
    #expect(errors.contains { $0.hasPrefix(expected) }, "\(errors)")
  }

  @Test(arguments: [
    #"{"templateRef":{"name":"a"},"parameters":{"x":1},"timeout":"1h30m","schedule":"*/5 0-6,22 * jan mon-fri"}"#,
    #"{"steps":[{"name":"a","args":["x"]}],"suspend":true,"schedule":"@hourly"}"#,
  ])
  func accepts(_ spec: String) throws { #expect(WorkflowRules.errors(spec: try JSONValue(parsing: spec)).isEmpty) }
}

@Suite struct StatusRulesTests {
  @Test(
    "Conditions are keyed by their type and say True, False or Unknown",
    arguments: [
      (#"[{"status":"True"}]"#, ["status.conditions[0].type: Required value"]),
      (#"[{"type":"","status":"True"}]"#, ["status.conditions[0].type: Required value"]),
      (#"[{"type":"A"}]"#, ["status.conditions[0].status: Required value"]),
      (
        #"[{"type":"A","status":"true"}]"#,
        [#"status.conditions[0].status: Unsupported value: "true": supported values: "True", "False", "Unknown""#]
      ),
      (
        #"[{"type":"A","status":"True"},{"type":"B","status":"False"},{"type":"A","status":"Unknown"}]"#,
        [#"status.conditions[2].type: Duplicate value: "A""#]
      ),
      (#"[{}]"#, ["status.conditions[0].status: Required value", "status.conditions[0].type: Required value"]),
      (#"[{"type":"A","status":"True"},{"type":"B","status":"False","reason":"","message":"m"}]"#, []), ("[]", []),
    ])
  func conditions(_ conditions: String, _ expected: [String]) throws {
    let status: JSONValue = ["phase": "Running", "conditions": try JSONValue(parsing: conditions)]
    #expect(StatusRules.errors(status: status).map(\.description) == expected)
  }

  @Test("What the engine says is not judged: its steps may be named alike") func engine() {
    #expect(StatusRules.errors(status: ["steps": [["name": ""], ["name": "a"], ["name": "a"]], "phase": "Zork", "mine": [1, 1]]).isEmpty)
    #expect(StatusRules.errors(status: [:]).isEmpty && StatusRules.errors(status: .null).isEmpty)
  }
}

@Suite struct ParameterSchemaTests {
  private let schema: JSONValue = [
    "type": "object", "required": ["rows"], "additionalProperties": false,
    "properties": [
      "rows": ["type": "integer", "minimum": 1, "maximum": 10], "message": ["type": ["string", "null"], "minLength": 2],
      "mode": ["enum": ["fast", "slow"]], "list": ["type": "array", "items": ["type": "number"], "maxItems": 2],
    ],
  ]

  @Test(arguments: [
    (#"{}"#, "spec.parameters.rows: Required value"),
    (#"{"rows":"3"}"#, "spec.parameters.rows: Invalid value: \"3\": must be of type integer"),
    (#"{"rows":11}"#, "must be less than or equal to 10"), (#"{"rows":0}"#, "must be greater than or equal to 1"),
    (#"{"rows":1.5}"#, "must be of type integer"), (#"{"rows":1,"message":"x"}"#, "must have at least 2 characters"),
    (#"{"rows":1,"mode":"medium"}"#, "spec.parameters.mode: Unsupported value: \"medium\""),
    (#"{"rows":1,"list":[1,"x"]}"#, "spec.parameters.list[1]: Invalid value"), (#"{"rows":1,"list":[1,2,3]}"#, "must have at most 2 items"),
    (
      #"{"rows":1,"colour":"red"}"#,
      "spec.parameters.colour: Forbidden: the template has no such parameter; it has: list, message, mode, rows"
    ),
  ])
  func refuses(_ value: String, _ expected: String) throws {
    let errors = ParameterSchema(schema: schema).check(try JSONValue(parsing: value), path: "spec.parameters").map(\.description)
    #expect(errors.count == 1 && errors[0].contains(expected), "\(errors)")
  }

  @Test(arguments: [#"{"rows":1}"#, #"{"rows":2.0,"message":null,"mode":"fast","list":[1,2.5]}"#])
  func accepts(_ value: String) throws {
    #expect(ParameterSchema(schema: schema).check(try JSONValue(parsing: value), path: "spec.parameters").isEmpty)
  }
}
