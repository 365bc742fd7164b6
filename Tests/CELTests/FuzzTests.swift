import CEL
import Foundation
import JSON
import Testing

/// Seeded random texts: nothing may crash, hang or take more than its cost. `CEL_FUZZ_COUNT=1000000` for the full run, `CEL_FUZZ_SEED` for another.
@Suite struct FuzzTests {
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

  @Test func evaluatesAnything() throws {
    var generator = Generator(seed: Self.seed)
    let variables = try variables()
    var compiled = 0
    var values = 0
    let clock = ContinuousClock()
    for i in 0..<Self.count {
      let source = i % 3 == 0 ? generator.mutated(5) : generator.expression(6)
      let start = clock.now
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
      let spent = clock.now - start
      #expect(spent < .seconds(5), "\(spent) for \(source)")
    }
    print("fuzz: \(Self.count) texts, \(compiled) programs, \(values) values")
    #expect(values > Self.count / 100)
  }

  @Test func writesWhatItReads() throws {
    var generator = Generator(seed: Self.seed &+ 1000)
    var parsed = 0
    for _ in 0..<Self.count {
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

  @Test func matchesAnything() throws {
    var generator = Generator(seed: Self.seed &+ 2000)
    let program = try CELProgram("[text.matches(x)].size() + text.findAll(x).size()", environment: environment, checked: false)
    for _ in 0..<Self.count {
      let pattern = generator.pattern()
      _ = try? program.evaluate(CELVariables(["x": .string(pattern), "text": .string("abcabc aéb\nxx abbbb 12")]))
    }
  }
}
