import Foundation
import Testing

@testable import Compression

@Suite("gzip")
struct GzipTests {
  @Test("the system's gunzip reads what we write", arguments: [0, 1, 1_000, 200_000, 3 << 20])
  func roundTrip(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    let compressed = try #require(Gzip.compressed(bytes))
    let folder = FileManager.default.temporaryDirectory.appending(path: "gzip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "a.gz")
    try Data(compressed).write(to: file)
    let gunzip = Process()
    gunzip.executableURL = URL(filePath: "/bin/gzip")
    gunzip.arguments = ["-d", file.path]
    try gunzip.run()
    gunzip.waitUntilExit()
    #expect(gunzip.terminationStatus == 0)
    #expect(try Data(contentsOf: folder.appending(path: "a")) == Data(bytes))
  }

  @Test("repeated text gets much smaller")
  func gain() throws {
    let text = Array(String(repeating: #"{"kind":"Workflow","apiVersion":"workflow.example.com/v1alpha1"},"#, count: 4_000).utf8)
    #expect(try #require(Gzip.compressed(text)).count < text.count / 20)
  }
}
