import CEL
import JSON
import OrderedCollections
import Testing

@Suite struct TemplateTests {
  let environment = {
    var environment = CELEnvironment()
    environment.declare("run", .dyn)
    environment.register(
      CELFunction("shout", member: true, parameters: [.string], result: .string) { arguments throws(CELError) in
        guard case .string(let text) = arguments[0] else { throw CELError("no text") }
        return .string(text.uppercased() + "!")
      })
    return environment
  }()

  func fill(_ template: JSONValue, _ run: JSONValue) throws -> JSONValue {
    try CELTemplate(template, environment: environment).evaluate(CELVariables(["run": CELValue(run)]))
  }

  @Test func keepsTypesAndDropsAbsentOptionals() throws {
    let value = try fill(
      [
        "whole": "${run.count}", "text": "n=${run.count}, ${ run.name }", "gone": "${run.?none}", "there": "${run.?name}",
        "list": ["${run.?none}", "x"],
        "escaped": "$${run.count}", "dollar": "$5", "map": "${ {'a': [1, 2], '}': \"}\"} }", "nested": ["deep": ["${run.name.shout()}"]],
      ], ["count": 3, "name": "a"])
    #expect(
      value
        == [
          "whole": 3, "text": "n=3, a", "there": "a", "list": ["x"], "escaped": "${run.count}", "dollar": "$5",
          "map": ["a": [1, 2], "}": "}"],
          "nested": ["deep": ["A!"]],
        ])
  }

  @Test func namesThePathOfAnError() throws {
    let error = #expect(throws: CELError.self) { try CELTemplate(["a": ["b-c": ["x", "${ run. }"]]], environment: environment) }
    #expect(error?.path == "$.a[\"b-c\"][1]")
    #expect(error?.kind == .parse)
    let late = #expect(throws: CELError.self) { try fill(["a": "${run.missing}"], [:]) }
    #expect(late?.path == "$.a")
    #expect(late?.kind == .evaluation)
  }
}
