import CEL
import Foundation
import JSON
import OrderedCollections
import Testing

/// The examples of docs/expressions.md.
@Suite struct DocumentationTests {
  struct Block {
    let info: String
    var lines: [String] = []
    var text: String { lines.joined(separator: "\n") }
  }

  static let blocks: [Block] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    guard let text = try? String(contentsOf: root.appendingPathComponent("docs/expressions.md"), encoding: .utf8) else { return [] }
    var blocks: [Block] = []
    var inside = false
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        inside.toggle()
        if inside { blocks.append(Block(info: String(line.dropFirst(3)))) }
      } else if inside {
        blocks[blocks.count - 1].lines.append(line)
      }
    }
    return blocks
  }()

  static let examples: [(expression: String, result: String)] = blocks.filter { $0.info == "cel" }.flatMap(\.lines).map { line in
    let parts = line.components(separatedBy: "  // => ")
    return (parts[0], parts.count > 1 ? parts[1] : "")
  }

  let environment: CELEnvironment
  let variables: CELVariables

  init() throws {
    var environment = CELEnvironment()
    var variables = CELVariables()
    let values = try JSONDocument(Self.blocks.first { $0.info == "json variables" }?.text ?? "{}")
    for (name, value) in values.root.members {
      environment.declare(name, .dyn)
      variables[name] = CELValue(value)
    }
    self.environment = environment
    self.variables = variables
  }

  @Test func hasExamples() { #expect(Self.examples.count > 150) }

  @Test(arguments: examples)
  func example(expression: String, result: String) throws {
    do throws(CELError) {
      let value = try CELProgram(expression, environment: environment).evaluate(variables).json()
      let expected = try? JSONValue(parsing: result)
      #expect(value == expected, "\(expression) is \(value.text)")
    } catch {
      let wanted = result.hasPrefix("error: ") ? String(result.dropFirst(7)) : nil
      #expect(wanted.map { error.message.contains($0) } ?? false, "\(expression): \(error)")
    }
  }

  /// The template is written as the simplest YAML: a member on each line.
  @Test func template() throws {
    var members: [String: JSONValue] = [:]
    for line in Self.blocks.first(where: { $0.info == "yaml template" })!.lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      let text = parts[1].trimmingCharacters(in: .whitespaces)
      members[String(parts[0])] = (try? JSONValue(parsing: text)) ?? .string(text)
    }
    let tree = JSONValue.object(.init(uniqueKeysWithValues: members))
    let result = try CELTemplate(tree, environment: environment).evaluate(variables)
    let expected = try JSONValue(parsing: Self.blocks.first { $0.info == "json result" }!.text)
    #expect(result.canonical == expected.canonical)
  }
}
