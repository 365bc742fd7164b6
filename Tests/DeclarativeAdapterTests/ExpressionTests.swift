import AdapterKit
import CEL
import Foundation
import JSON
import OrderedCollections
import Testing

@testable import DeclarativeAdapter

@Suite struct ExpressionTests {
  func value(_ text: String, _ variables: [String: JSONValue] = [:]) throws -> JSONValue? {
    let problems = Problems(file: "x")
    var declarations = Declarations(functions: HostFunctions.all)
    for name in variables.keys { declarations = declarations.adding(name, .dyn) }
    let node = YAMLNode(content: .scalar(.string(text)), place: Place(line: 1, column: 1, field: "f"))
    let template = try #require(TemplateCompiler(declarations, problems).value(node), "\(problems.list)")
    var values = CELVariables()
    for (name, value) in variables { values[name] = CELValue(value) }
    return try template.json(values)
  }

  static let texts: [(String, JSONValue)] = [
    ("a $${b} c", "a ${b} c"),
    ("x${1}-${true}-${2.5}y", "x1-true-2.5y"),
    (#"${"}"}"#, "}"),
    (#"${'a\'}'}"#, "a'}"),
    (#"${{"a": {"b": 1}}.a}"#, ["b": 1]),
  ]

  @Test(arguments: texts.indices)
  func textsWithExpressions(_ index: Int) throws {
    let (text, wanted) = Self.texts[index]
    #expect(try value(text) == wanted, "\(text)")
  }

  @Test func dns1123NamesAreLegalAndDifferent() {
    for text in ["A", "a", "ä", "", "-a-", "a.b", String(repeating: "x", count: 80), String(repeating: "x", count: 81), "a/b", "a b"] {
      let name = dns1123(text)
      #expect(!name.isEmpty && name.utf8.count <= 63, "\(text)")
      #expect(name.range(of: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", options: .regularExpression) != nil, "\(text) -> \(name)")
    }
    #expect(dns1123("a/b") != dns1123("a b"))
    #expect(dns1123("A") != dns1123("a"))
  }

  @Test func absentOptionalsDropTheirMember() throws {
    let problems = Problems(file: "x")
    let node = try YAMLNode.parse("a: ${row.?x}\nb: ${row.?y}\nc: [1, '${row.?x}']\n", file: "x")
    let template = try #require(TemplateCompiler(Declarations(functions: []).adding("row", .dyn), problems).value(node))
    var variables = CELVariables()
    variables["row"] = CELValue(["y": nil])
    #expect(try template.json(variables) == ["b": nil, "c": [1]])
  }

  @Test func scalarsFollowTheCoreSchema() throws {
    let node = try YAMLNode.parse("a: yes\nb: true\nc: 12\nd: '12'\ne: 1.5\nf: ~\ng: 2026-11-22\nh: 0x10\ni: 1e3\nj:\n", file: "x")
    #expect(
      node.json == [
        "a": "yes", "b": true, "c": 12, "d": "12", "e": 1.5, "f": nil, "g": "2026-11-22", "h": "0x10", "i": 1000.0, "j": nil,
      ])
  }

  @Test(arguments: [("30s", 30.0), ("1h30m", 5400), ("500ms", 0.5), ("5m", 300)])
  func spans(_ text: String, _ seconds: Double) throws {
    #expect(try #require(Duration(adapterText: text)) == .milliseconds(Int64(seconds * 1000)))
  }

  @Test(arguments: ["", "5", "s", "1d", "-1s", "1 s", "1.5s"])
  func noSpans(_ text: String) { #expect(Duration(adapterText: text) == nil) }

  @Test func aCancelledWaiterLeavesTheGate() async throws {
    let gate = AsyncGate(1)
    try await gate.enter()
    let waiter = Task { () -> Bool in
      do {
        try await gate.enter()
        return true
      } catch { return false }
    }
    for _ in 0..<100 { await Task.yield() }
    waiter.cancel()
    #expect(await waiter.value == false)
    gate.leave()
    try await gate.enter()
    gate.leave()
  }
}
