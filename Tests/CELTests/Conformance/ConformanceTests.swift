import CEL
import Foundation
import Testing

/// The official data of google/cel-spec, found beside the project or through CEL_SPEC_DIR.
@Suite struct ConformanceTests {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["CEL_SPEC_DIR"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/cel-spec")
  }()

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".textproto") }.sorted()
  }()

  @Test(.enabled(if: !files.isEmpty, "no conformance data in ../shared/cel-spec or CEL_SPEC_DIR"), arguments: files)
  func passes(file: String) async throws {
    let text = try String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8)
    var passed = 0
    var outOfScope = 0
    var failures: [String] = []
    for section in try TextProto(parsing: text).all("section") {
      await Task.yield()
      for test in section.all("test") {
        let test = ConformanceCase(section: section["name"]?.string ?? "", test)
        switch test.run() {
        case .passed: passed += 1
        case .outOfScope: outOfScope += 1
        case .failed(let why): failures.append("\(test.name): \(test.expr): \(why)")
        }
      }
    }
    print("\(file): \(passed) passed, \(failures.count) failed, \(outOfScope) out of scope")
    #expect(passed + outOfScope + failures.count > 0 || file == "unknowns.textproto")
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
  }
}
