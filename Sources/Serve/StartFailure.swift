import Foundation

/// Why the program cannot start: each line says what is wrong, where, and what to do.
struct StartFailure: Error {
  var lines: [String]

  init(_ lines: [String]) { self.lines = lines }
  init(_ line: String) { lines = [line] }
}

func printError(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
