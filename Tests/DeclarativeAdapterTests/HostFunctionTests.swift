import CEL
import Foundation
import JSON
import Testing

@testable import DeclarativeAdapter

/// The examples of docs/expressions.md that only adapter files can use: what stands behind `// =>` is the value as JSON, or a part of the error.
@Suite struct HostFunctionTests {
  static let examples: [(expression: String, result: String)] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    guard let text = try? String(contentsOf: root.appendingPathComponent("docs/expressions.md"), encoding: .utf8) else { return [] }
    var examples: [(expression: String, result: String)] = []
    var block: Substring?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        block = block == nil ? line.dropFirst(3) : nil
      } else if block == "cel adapter" {
        let parts = String(line).components(separatedBy: "  // => ")
        examples.append((parts[0], parts.count == 2 ? parts[1] : ""))
      }
    }
    return examples
  }()

  static let environment = Declarations(functions: HostFunctions.all).makeEnvironment()

  @Test func everyFunctionHasAnExample() {
    let names = Set(HostFunctions.all.map(\.name))
    #expect(names.count >= 15)
    for name in names { #expect(Self.examples.contains { $0.expression.hasPrefix(name + "(") }, "\(name)") }
  }

  @Test(arguments: examples)
  func example(expression: String, result: String) throws {
    do throws(CELError) {
      let value = try CELProgram(expression, environment: Self.environment).evaluate(CELVariables()).json()
      let expected = try? JSONValue(parsing: result)
      #expect(value == expected, "\(expression) is \(value.text)")
    } catch {
      let wanted = result.hasPrefix("error: ") ? String(result.dropFirst(7)) : nil
      #expect(wanted.map { error.message.contains($0) } ?? false, "\(expression): \(error)")
    }
  }
}
