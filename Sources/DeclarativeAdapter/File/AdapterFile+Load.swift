internal import AdapterKit
internal import Foundation

extension AdapterFile {
  /// Reads and checks a file: its schema, every expression, and its own examples.
  ///
  /// - Parameter path: an `adapter.yaml`, or a folder with one.
  /// - Throws: ``AdapterFileErrors`` with everything that is wrong, each with file, line and field.
  package static func load(_ path: String) async throws(AdapterFileErrors) -> AdapterFile {
    let file = try read(path)
    let problems = await file.checkExamples()
    if !problems.isEmpty { throw AdapterFileErrors(problems) }
    return file
  }

  /// As ``load(_:)``, without running the examples.
  package static func read(_ path: String) throws(AdapterFileErrors) -> AdapterFile {
    var isFolder: ObjCBool = false
    var path = path
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      path += path.hasSuffix("/") ? "adapter.yaml" : "/adapter.yaml"
    }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw AdapterFileErrors([AdapterFileProblem(file: path, line: 0, column: 0, field: "", message: "cannot be read")])
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw AdapterFileErrors([AdapterFileProblem(file: path, line: 0, column: 0, field: "", message: "is not UTF-8")])
    }
    return try parse(text, file: path)
  }

  /// - Parameter file: the name that problems are reported under.
  package static func parse(_ text: String, file: String) throws(AdapterFileErrors) -> AdapterFile {
    let root = try YAMLNode.parse(text, file: file)
    let reader = FileReader(file: file)
    guard let read = reader.read(root) else { throw AdapterFileErrors(reader.problems.list) }
    return read
  }
}
