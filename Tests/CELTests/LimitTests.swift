import CEL
import JSON
import TestSupport
import Testing

/// Cost, depth and size: whatever an expression says, it ends soon and within bounded memory.
@Suite struct LimitTests {
  let environment = {
    var environment = CELEnvironment()
    environment.declare("object", .dyn)
    return environment
  }()

  @Test func estimatesAndLimitsCost() async throws {
    let program = try CELProgram("object.spec.items.all(i, i.name.startsWith('a'))", environment: environment)
    #expect(program.estimatedCost().maximum == .max)
    let bounded = program.estimatedCost { path in path == "object.spec.items" ? 10 : path == "object.spec.items[].name" ? 100 : nil }
    #expect(bounded.minimum > 0 && bounded.maximum < 500)
    let runaway = try CELProgram(
      "lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000).map(c, a * b * c)))", environment: CELEnvironment())
    let result = await onOwnThread { Result { () throws(CELError) in try runaway.evaluate(CELVariables()).int } }
    let error = #expect(throws: CELError.self) { try result.get() }
    #expect(error?.kind == .costExceeded)
    var cost: UInt64 = 0
    _ = try CELProgram("1 + 2", environment: CELEnvironment()).evaluate(CELVariables(), cost: &cost)
    #expect(cost == 1)
  }

  /// Values that name each other many times are small in memory and endless to walk over.
  @Test(arguments: [
    "%s == %s", "%s", "[%s].distinct()", "'%%s'.format([%s])", "%s in [%s]", "sets.contains(%s, %s)", "[%s, %s].flatten(99)",
  ])
  func sharedValuesDoNotExplode(use: String) throws {
    var source = use.replacing("%%s", with: "%S").replacing("%s", with: "v60").replacing("%S", with: "%s")
    for i in (1...60).reversed() { source = "cel.bind(v\(i), [v\(i - 1), v\(i - 1)], \(source))" }
    let program = try CELProgram("cel.bind(v0, [1], \(source))", environment: CELEnvironment(), checked: false)
    let error = #expect(throws: CELError.self) { try program.evaluate(CELVariables(), costLimit: 10_000) }
    #expect(error?.kind == .costExceeded)
  }

  /// Neither long nor deep texts may end the process.
  @Test(arguments: ["(", "[", "!", "-", "{1:", "a.", "a[", "1+", "true?1:", "f(", "[1].map(x,", "''+", "a&&", "a.?", "(?i"])
  func deepTextsAreErrorsOrValues(piece: String) async {
    for count in [100, 1000, 50_000] {
      let text = String(repeating: piece, count: count)
      for source in [text, text + "1", text + "1" + String(repeating: ")", count: count)] {
        await Task.yield()
        _ = try? CELProgram(source, environment: CELEnvironment(), checked: false).evaluate(CELVariables())
        await Task.yield()
        _ = try? CELProgram("'x'.matches(r'\(source.prefix(10_000))')", environment: CELEnvironment()).evaluate(CELVariables())
      }
    }
  }
}
