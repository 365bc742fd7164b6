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

  /// The table of docs/adapters.md.
  static let functions: [(String, JSONValue)] = [
    (#"${percentEncode("a b/c+ü~")}"#, "a%20b%2Fc%2B%C3%BC~"),
    (#"${queryString({"a": 1, "b": ["x", "y z"]})}"#, "a=1&b=x&b=y%20z"),
    (#"${sha256("abc")}"#, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (#"${toJSON({"a": [1, null]})}"#, #"{"a":[1,null]}"#),
    (#"${fromJSON("{\"a\":7}").a}"#, 7),
    (#"${fromEpoch(1795376294)}"#, "2026-11-22T19:38:14.000000Z"),
    (#"${fromEpoch(1795376294.5)}"#, "2026-11-22T19:38:14.500000Z"),
    (#"${fromEpochMillis(1795376294123)}"#, "2026-11-22T19:38:14.123000Z"),
    (#"${toEpoch("2026-11-22T19:38:14Z")}"#, 1_795_376_294),
    (#"${toEpochMillis("2026-11-22T19:38:14.5Z")}"#, 1_795_376_294_500),
    (#"${httpDate("Sun, 22 Nov 2026 19:07:13 GMT")}"#, "2026-11-22T19:07:13.000000Z"),
    (#"${earlier("2026-11-22T19:07:13Z", "10s")}"#, "2026-11-22T19:07:03.000000Z"),
    (#"${merge({"a": 1, "b": 2}, {"b": 3})}"#, ["a": 1, "b": 3]),
    (#"${fromEntries([["a", 1], ["b", 2]])}"#, ["a": 1, "b": 2]),
    (#"${dropNulls({"a": 1, "b": null})}"#, ["a": 1]),
    (#"${dns1123("build-1")}"#, "build-1"),
    (#"${dns1123("Build #1")}"#, "build-1-f04fe804"),
    ("a $${b} c", "a ${b} c"),
    ("x${1}-${true}-${2.5}y", "x1-true-2.5y"),
    (#"${"}"}"#, "}"),
    (#"${'a\'}'}"#, "a'}"),
    (#"${{"a": {"b": 1}}.a}"#, ["b": 1]),
  ]

  @Test(arguments: functions.indices)
  func hostFunctions(_ index: Int) throws {
    let (text, wanted) = Self.functions[index]
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
