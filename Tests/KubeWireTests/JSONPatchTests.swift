import Foundation
import JSON
import KubeWire
import OrderedCollections
import TestSupport
import Testing

@Suite struct JSONPatchTests {
  /// The official data of RFC 6902, beside the repository.
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("../shared/json-patch-tests").standardizedFileURL

  private static var isMissing: Bool { !FileManager.default.fileExists(atPath: folder.path) }

  @Test("The official tests", .disabled(if: isMissing, "../shared/json-patch-tests is not there"), arguments: ["spec_tests", "tests"])
  func official(file: String) throws {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent("\(file).json"))
    let records = try #require(JSONValue(parsing: [UInt8](data)).array)
    var run = 0
    // Those marked disabled depend on members that come twice, or on scalars as documents, or are merely optional.
    for record in records where record["disabled"] != true && record["patch"] != nil {
      // Kubernetes counts a negative index from the end, where the RFC has none; see below.
      if record["error"] == "Out of bounds (lower)" { continue }
      run += 1
      let document = try #require(record["doc"])
      let patch = try #require(record["patch"])
      let comment = record["comment"]?.string ?? patch.text
      do throws(JSONPatch.Failure) {
        let result = try JSONPatch(json: patch).apply(to: document)
        #expect(record["error"] == nil, "\(comment) must fail")
        if let expected = record["expected"] { #expect(result.isSame(as: expected), "\(comment): \(result.text)") }
      } catch {
        #expect(record["error"] != nil, "\(comment): \(error.message)")
      }
    }
    #expect(run > 15)
  }

  private func apply(_ patch: JSONValue, to value: JSONValue) throws(JSONPatch.Failure) -> JSONValue {
    try JSONPatch(json: patch).apply(to: value)
  }

  @Test("Kubernetes' reading: replace of a missing member adds it, test of one against null passes") func lenient() throws {
    #expect(try apply([["op": "replace", "path": "/a", "value": 1]], to: [:]) == ["a": 1])
    #expect(try apply([["op": "test", "path": "/a", "value": nil]], to: [:]) == [:])
    #expect(throws: JSONPatch.Failure.self) { try apply([["op": "test", "path": "/a/b", "value": nil]], to: [:]) }
    #expect(throws: JSONPatch.Failure.self) { try apply([["op": "test", "path": "/0", "value": nil]], to: []) }
    #expect(throws: JSONPatch.Failure.self) { try apply([["op": "remove", "path": "/a"]], to: [:]) }
  }

  @Test("Kubernetes' reading: a negative index counts from the end") func negativeIndices() throws {
    func after(_ operation: JSONValue) throws -> JSONValue? { try apply([operation], to: ["a": [1, [2], 3]])["a"] }
    #expect(try after(["op": "replace", "path": "/a/-1", "value": 9]) == [1, [2], 9])
    #expect(try after(["op": "replace", "path": "/a/-3", "value": 9]) == [9, [2], 3])
    #expect(try after(["op": "remove", "path": "/a/-1"]) == [1, [2]])
    #expect(try after(["op": "remove", "path": "/a/-3"]) == [[2], 3])
    // Of the longer list that there will be.
    #expect(try after(["op": "add", "path": "/a/-1", "value": 9]) == [1, [2], 3, 9])
    #expect(try after(["op": "add", "path": "/a/-2", "value": 9]) == [1, [2], 9, 3])
    #expect(try after(["op": "add", "path": "/a/-4", "value": 9]) == [9, 1, [2], 3])
    #expect(try after(["op": "add", "path": "/a/-2/-1", "value": 9]) == [1, [2, 9], 3])
    #expect(try after(["op": "test", "path": "/a/-2/-1", "value": 2]) == [1, [2], 3])
    #expect(try after(["op": "copy", "from": "/a/-1", "path": "/a/0"]) == [3, 1, [2], 3])
    #expect(try after(["op": "move", "from": "/a/-1", "path": "/a/0"]) == [3, 1, [2]])
    #expect(try after(["op": "replace", "path": "/a/-0", "value": 9]) == [9, [2], 3])
    for path: JSONValue in ["/a/-4", "/a/-01", "/a/--1", "/a/+1", "/a/-99999999999999999999", "/a/-4/0"] {
      for operation: JSONValue in ["replace", "remove", "test"] {
        #expect(throws: JSONPatch.Failure.self, "\(operation) \(path)") { try after(["op": operation, "path": path, "value": 1]) }
      }
    }
    let outside = #expect(throws: JSONPatch.Failure.self) { try after(["op": "add", "path": "/a/-5", "value": 9]) }
    #expect(outside?.message == "error in add for path: '/a/-5': Unable to access invalid index: -5: invalid index referenced")
    // A member is called so.
    #expect(try apply([["op": "add", "path": "/-1", "value": 1]], to: [:]) == ["-1": 1])
  }

  @Test("A test tells two spellings of the same characters apart") func exactTexts() throws {
    let document: JSONValue = ["a": "caf\u{E9}", "b": ["caf\u{E9}": 1.0]]
    #expect(try apply([["op": "test", "path": "/a", "value": "caf\u{E9}"]], to: document) == document)
    #expect(throws: JSONPatch.Failure.self) { try apply([["op": "test", "path": "/a", "value": "cafe\u{301}"]], to: document) }
    #expect(try apply([["op": "test", "path": "/b", "value": ["caf\u{E9}": 1]]], to: document) == document)
    #expect(throws: JSONPatch.Failure.self) { try apply([["op": "test", "path": "/b", "value": ["cafe\u{301}": 1]]], to: document) }
  }

  @Test("kopf's patch: a test of the resourceVersion before the finalizers") func kopf() throws {
    let patch: JSONValue = [
      ["op": "test", "path": "/metadata/resourceVersion", "value": "7"], ["op": "add", "path": "/metadata/finalizers/-", "value": "b"],
    ]
    #expect(
      try apply(patch, to: ["metadata": ["resourceVersion": "7", "finalizers": ["a"]]])["metadata"]?["finalizers"] == ["a", "b"])
    let failure = #expect(throws: JSONPatch.Failure.self) {
      try apply(patch, to: ["metadata": ["resourceVersion": "8", "finalizers": ["a"]]])
    }
    #expect(failure?.message == "testing value /metadata/resourceVersion failed: test failed")
    #expect(failure?.statusError.code == 422 && failure?.statusError.status.reason == "Invalid")
    #expect(failure?.statusError.status.details?.causes.first?.message == failure?.message)
    // kubectl prints the field before the message.
    #expect(failure?.statusError.status.details?.causes.first?.field == "patch")
  }

  @Test("C5: at most 10,000 operations, and 3 MiB of copies") func limits() throws {
    let test: JSONValue = ["op": "test", "path": "", "value": [:]]
    #expect(try apply(.array(Array(repeating: test, count: 10_000)), to: [:]) == [:])
    let many = #expect(throws: JSONPatch.Failure.self) { try apply(.array(Array(repeating: test, count: 10_001)), to: [:]) }
    #expect(many?.message == "The allowed maximum operations in a JSON patch is 10000, got 10001")
    #expect(many?.statusError.code == 413)
    // Each copy doubles the document.
    let double: JSONValue = ["op": "copy", "from": "", "path": "/a"]
    let bomb = #expect(throws: JSONPatch.Failure.self) {
      try apply(.array(Array(repeating: double, count: 60)), to: ["a": 1, "b": .string(String(repeating: "x", count: 100_000))])
    }
    #expect(bomb?.message.hasPrefix("Unable to complete the copy") == true && bomb?.statusError.code == 413)
  }

  @Test("Copies of a value into itself end at the depth of what a client may send") func depth() throws {
    var operations: [JSONValue] = [["op": "add", "path": "/zz", "value": [[]]]]
    var path = "/zz"
    for round in 0..<24 {
      operations.append(["op": "copy", "from": "/zz", "path": .string(path + "/0")])
      path += String(repeating: "/0", count: min(1 << round, 1000))
    }
    let bomb = #expect(throws: JSONPatch.Failure.self) { try apply(.array(operations), to: [:]) }
    #expect(
      bomb?.statusError.code == 422 && bomb?.message.hasSuffix("would be more than 128 levels deep") == true, "\(String(describing: bomb))")

    func nested(_ depth: Int) -> JSONValue { (0..<depth).reduce(1) { value, _ in [value] } }
    for operation in ["add", "replace"] {
      func patch(_ depth: Int) -> JSONValue { [["op": .string(operation), "path": "/a", "value": nested(depth)]] }
      #expect(try apply(patch(127), to: [:])["a"] == nested(127))
      #expect(throws: JSONPatch.Failure.self) { try apply(patch(128), to: [:]) }
    }
    let move: JSONValue = [["op": "move", "from": "/a", "path": "/b/c"]]
    #expect(throws: JSONPatch.Failure.self) { try apply(move, to: ["a": nested(127), "b": [:]]) }
    #expect(try apply(move, to: ["a": nested(126), "b": [:]])["b"]?["c"] == nested(126))
  }

  @Test("Ten thousand insertions at the front of a long list end early", .timeLimit(.minutes(1))) func moves() async {
    let insertion: JSONValue = ["op": "add", "path": "/0", "value": 0]
    let result = await onOwnThread {
      Result { try apply(.array(Array(repeating: insertion, count: 10_000)), to: .array(Array(repeating: 0, count: 1_000_000))) }
    }
    let failure = #expect(throws: JSONPatch.Failure.self) { try result.get() }
    #expect(failure?.statusError.code == 413)
  }

  @Test("What is no patch at all is 400; what fails leaves nothing done", arguments: ["{}", "1", "[1]", "[[]]", "null"])
  func malformed(text: String) throws {
    let json = try JSONValue(parsing: text)
    let failure = #expect(throws: JSONPatch.Failure.self) { try JSONPatch(json: json) }
    #expect(failure?.statusError.code == 400)
  }

  @Test("Random patches neither crash nor lose the rest of the document") func random() async throws {
    var generator = SeededGenerator(seed: 6902)
    let paths = ["", "/", "/a", "/a/b", "/a/0", "/b/-", "/b/0", "/b/1/c", "/~0", "/~1", "/~2", "x", "/b/99", "/b/-1", "/é"]
    for number in 0..<20_000 {
      if number % 32 == 0 { await Task.yield() }
      var operations: [JSONValue] = []
      for _ in 0...generator.below(4) {
        operations.append([
          "op": .string(generator.pick(["add", "remove", "replace", "move", "copy", "test", "x"])), "path": .string(generator.pick(paths)),
          "from": .string(generator.pick(paths)), "value": generator.pick([1, nil, [:], [], ["c": [1]], "x"]),
        ])
      }
      let document: JSONValue = ["a": ["b": 1], "b": [1, ["c": 2]], "keep": "this", "": 0]
      guard let result = try? apply(.array(operations), to: document) else { continue }
      let touchesAll = operations.contains { $0["path"] == "" || $0["from"] == "" }
      if !touchesAll { #expect(result["keep"] == "this", "\(operations)") }
    }
  }
}
