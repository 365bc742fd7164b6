/// One thing wrong in a configuration file: where it stands, what it is, what to do.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
  package var file: String
  /// From 1; 0 when the problem belongs to no line.
  package var line: Int
  /// `backends[0].url`; empty for the whole file.
  package var field: String
  package var message: String

  package var description: String {
    var text = file
    if line > 0 { text += ":\(line)" }
    text += ": "
    if !field.isEmpty { text += "\(field): " }
    return text + message
  }
}

/// All problems of a file at once.
package struct ConfigurationProblems: Error, CustomStringConvertible {
  package var problems: [ConfigurationProblem]
  package var description: String { problems.map(\.description).joined(separator: "\n") }
}
