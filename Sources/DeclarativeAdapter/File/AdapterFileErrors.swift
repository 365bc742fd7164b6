/// One mistake in an adapter file, with its place.
package struct AdapterFileProblem: Error, Sendable, Hashable, CustomStringConvertible {
  /// As it was named to ``AdapterFile/load(_:)``.
  package var file: String
  /// From 1; 0 when the whole file is meant.
  package var line: Int
  /// From 1; 0 when the whole file is meant.
  package var column: Int
  /// Where in the document, for example `runs.get.request`; empty for the document itself.
  package var field: String
  package var message: String

  package init(file: String, line: Int, column: Int, field: String, message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.field = field
    self.message = message
  }

  /// `adapter.yaml:12:5: runs.get.request: …`, the form that editors turn into a link.
  package var description: String {
    var out = line > 0 ? "\(file):\(line):\(column): " : "\(file): "
    if !field.isEmpty { out += "\(field): " }
    return out + message
  }
}

/// Everything that is wrong with an adapter file, in the order of the file.
package struct AdapterFileErrors: Error, Sendable, Hashable, CustomStringConvertible {
  package var problems: [AdapterFileProblem]

  package init(_ problems: [AdapterFileProblem]) { self.problems = problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}
