import CEL
import Foundation
import JSON
import Testing

/// Seeded random texts: nothing may crash, hang or take more than its cost; whoever computes for long makes room for the tests with sockets.
/// `CEL_FUZZ_COUNT=1000000` for the full run, `CEL_FUZZ_SEED` for another.
@Suite(.serialized) struct FuzzTests {
  static let count = ProcessInfo.processInfo.environment["CEL_FUZZ_COUNT"].flatMap { Int($0) } ?? 5000
  static let seed = ProcessInfo.processInfo.environment["CEL_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

  let environment = {
    var environment = CELEnvironment()
    for name in ["x", "y", "job", "list", "text"] { environment.declare(name, .dyn) }
    return environment
  }()

  func variables() throws -> CELVariables {
    let document = try JSONDocument(
      #"{"name": "n", "a": {"name": 1, "e": [1, 2.5, "x", null, {"a": true}]}, "items": ["b", "a"], "status": {"a": null}, "b-c": 5}"#)
    return CELVariables([
      "x": .int(3), "y": .uint(5), "job": CELValue(document.root), "list": .list([.int(1), .int(3), .string("q")]),
      "text": .string("some text, a1b2"),
    ])
  }

  @Test func evaluatesAnything() async throws {
    var generator = Generator(seed: Self.seed)
    let variables = try variables()
    var compiled = 0
    var values = 0
    for i in 0..<Self.count {
      if i % 8 == 0 { await Task.yield() }
      let source = i % 3 == 0 ? generator.mutated(5) : generator.expression(6)
      let start = ThreadClock.now
      for checked in [true, false] {
        guard let program = try? CELProgram(source, environment: environment, checked: checked) else { continue }
        compiled += 1
        do throws(CELError) {
          var cost: UInt64 = 0
          _ = try program.evaluate(variables, costLimit: 100_000, cost: &cost)
          values += 1
          let estimate = program.estimatedCost()
          #expect(cost <= estimate.maximum, "\(cost) of \(estimate) for \(source)")
        } catch {
          #expect(error.kind == .evaluation || error.kind == .costExceeded, "\(source)")
        }
      }
      let spent = ThreadClock.now - start
      #expect(spent < .seconds(5), "\(spent) for \(source)")
    }
    print("fuzz: \(Self.count) texts, \(compiled) programs, \(values) values")
    #expect(values > Self.count / 100)
  }

  @Test func writesWhatItReads() async throws {
    var generator = Generator(seed: Self.seed &+ 1000)
    var parsed = 0
    for i in 0..<Self.count {
      if i % 8 == 0 { await Task.yield() }
      let source = generator.expression(6)
      guard let expression = try? CELExpression(parsing: source) else { continue }
      parsed += 1
      let again: CELExpression
      do { again = try CELExpression(parsing: expression.description) } catch {
        Issue.record("\(source) -> \(expression): \(error)")
        continue
      }
      #expect(expression.isSame(as: again), "\(source) -> \(expression) -> \(again)")
      #expect(expression.description == again.description)
    }
    #expect(parsed > Self.count / 4)
  }

  @Test func readsAnything() async throws {
    var generator = Generator(seed: Self.seed &+ 3000)
    let calls = [
      "timestamp(x)", "duration(x)", "duration(x) + duration(x)", "-dyn(duration(x))", "string(duration(x))",
      "timestamp(x) + duration('1h')",
      "timestamp(x) - timestamp(x)",
      "quantity(x)", "quantity(x).add(quantity(x)).sub(quantity('1Ei')).asApproximateFloat()", "quantity(x).compareTo(quantity('1m'))",
      "quantity(x).asInteger()",
      "semver(x)", "semver(x, true).compareTo(semver(x, true))", "url(x).getHost() + url(x).getPort() + url(x).getHostname()",
      "url(x).getQuery()", "ip(x)", "ip(x).family()",
      "string(ip(x))", "cidr(x).masked()", "string(cidr(x))", "cidr(x).containsIP(x)", "int(x)", "uint(x)", "double(x)", "int(double(x))",
      "uint(double(x))", "string(double(x))", "bool(x)",
      "base64.decode(x)", "timestamp(0).getHours(x)", "x.format([1, 2.5, 'x', -9223372036854775808, 18446744073709551615u])",
      "x.format([0.0 / 0.0, 1e308, b'\\xff', true, null])",
      "x.split(x)", "x.replace(x, x + x)", "x.replace('', x)", "x.substring(1)", "x.lastIndexOf('a')", "x.indexOf(x, 1)",
      "strings.quote(x)", "x.trim()", "x.reverse()", "x.charAt(2)",
      "format.dns1123Label().validate(x)", "format.qualifiedName().validate(x)", "format.uuid().validate(x)", "format.date().validate(x)",
      "format.datetime().validate(x)",
      "jsonpatch.escapeKey(x)", "regex.replace('abc', 'b', x)", "lists.range(size(x)).map(i, x.charAt(i))", "x < x + 'a'", "[x, x].sort()",
      "{x: x}[x]",
    ]
    let programs = try calls.map { try CELProgram($0, environment: environment) }
    for i in 0..<Self.count {
      if i % 64 == 0 { await Task.yield() }
      let text = generator.text()
      let value = try? programs[i % programs.count].evaluate(CELVariables(["x": .string(text)]), costLimit: 1_000_000)
      if let value { _ = try? value.json() }
    }
  }

  @Test func matchesAnything() async throws {
    var generator = Generator(seed: Self.seed &+ 2000)
    let program = try CELProgram("[text.matches(x)].size() + text.findAll(x).size()", environment: environment, checked: false)
    for i in 0..<Self.count {
      if i % 4 == 0 { await Task.yield() }
      let pattern = generator.pattern()
      _ = try? program.evaluate(CELVariables(["x": .string(pattern), "text": .string("abcabc aéb\nxx abbbb 12")]))
    }
  }
}
