import Foundation
import KubeWire
import Testing

@Suite("docs/api.md")
struct APIReferenceTests {
  @Test("it is what the description of the kinds says; UPDATE_DOCS=1 writes it")
  func isCurrent() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "docs/api.md")
    let text = APIReference().markdown
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] != nil { try Data(text.utf8).write(to: file) }
    #expect(try String(contentsOf: file, encoding: .utf8) == text, "run UPDATE_DOCS=1 swift test --filter APIReferenceTests")
  }

  @Test("every field of every kind is described")
  func everyFieldIsDescribed() {
    for line in APIReference().markdown.split(separator: "\n") where line.hasPrefix("| `") { #expect(!line.hasSuffix("|  |"), "\(line)") }
  }
}
