import Foundation
import JSON
import Testing

/// The files of the JSON parsing test suite (nst/JSONTestSuite), found beside the project.
private enum SuiteFiles {
  static let folder = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    .appendingPathComponent("shared/json-test-suite/test_parsing")
  static let all = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".json") }.sorted()

  static func named(_ prefix: String) -> [String] { all.filter { $0.hasPrefix(prefix) } }
}

@Suite(.enabled(if: !SuiteFiles.all.isEmpty, "no conformance data in ../shared/json-test-suite"))
struct ConformanceSuiteTests {
  private func text(_ file: String) throws -> [UInt8] { Array(try Data(contentsOf: SuiteFiles.folder.appendingPathComponent(file))) }

  @Test(arguments: SuiteFiles.named("y_")) func accepts(_ file: String) throws {
    let text = try text(file)
    let document = try JSONDocument(text)
    let value = document.root.value
    #expect(Agreement.holds(document.root, value))
    #expect(Agreement.equal(value, try JSONValue(parsing: value.encoded)))
    #expect(GuardedPage(capacity: text.count).accepts(text))
  }

  /// By their grammar, not only because they are deep.
  @Test(arguments: SuiteFiles.named("n_")) func refuses(_ file: String) throws {
    let text = try text(file)
    #expect(throws: JSONError.self) { try JSONDocument(text) }
    #expect(throws: JSONError.self) { try JSONDocument(text, limits: JSONLimits(maximumDepth: .max)) }
    #expect(!GuardedPage(capacity: text.count).accepts(text))
  }

  /// Either way, as long as what is accepted can be read and written.
  @Test(arguments: SuiteFiles.named("i_")) func decides(_ file: String) throws {
    let text = try text(file)
    guard let value = try? JSONValue(parsing: text) else { return }
    #expect(Agreement.equal(value, try JSONValue(parsing: value.encoded)))
  }

  /// A folder that has lost files would pass everything above.
  @Test func isWhole() {
    #expect(SuiteFiles.named("y_").count >= 95)
    #expect(SuiteFiles.named("n_").count >= 185)
    #expect(SuiteFiles.named("i_").count >= 35)
  }
}
