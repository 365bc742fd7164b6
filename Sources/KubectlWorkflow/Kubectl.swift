import ArgumentParser
import Foundation

/// The kubectl on the PATH, or the one that `KUBECTL` names.
enum Kubectl {
  private static var program: String { ProcessInfo.processInfo.environment["KUBECTL"] ?? "kubectl" }

  /// Replaces this process, so that output streams and the exit status are kubectl's.
  static func become(_ arguments: [String]) throws -> Never {
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    execvp(program, &pointers)
    throw ValidationError("cannot run \(program): \(String(cString: strerror(errno)))")
  }

  /// What a command prints. - Throws: `ExitCode` after a failure, whose text kubectl has printed.
  static func output(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
    return String(decoding: data, as: UTF8.self)
  }
}
