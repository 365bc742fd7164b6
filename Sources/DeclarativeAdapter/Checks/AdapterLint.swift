/// What `workflow-apiserver adapter lint FILE` and `adapter test FILE` do.
package enum AdapterLint {
  /// - Returns: the lines to print, and whether the file is good.
  package static func lint(_ path: String) async -> (lines: [String], good: Bool) {
    do throws(AdapterFileErrors) {
      let file = try await AdapterFile.load(path)
      var lines = ["\(path): good: adapter \(file.name) \(file.version) for \(file.engine)"]
      lines.append("  abilities: \(file.abilityNames.joined(separator: ", "))")
      lines.append(
        "  examples: \(file.examples.count) passed; not covered: \(file.uncovered.isEmpty ? "none" : file.uncovered.joined(separator: ", "))"
      )
      return (lines, true)
    } catch {
      return (error.problems.map(\.description) + ["\(error.problems.count) problem\(error.problems.count == 1 ? "" : "s")"], false)
    }
  }
}

extension AdapterFile {
  /// For people: what the file can do.
  package var abilityNames: [String] {
    var names = ["submit", "get", "list"]
    if runs.submitSteps != nil { names.append("inline steps") }
    if schedules?.submitTemplate != nil { names.append("schedules") }
    let more: [(String, Bool)] = [
      ("find", runs.find != nil), ("changes", runs.changes != nil), ("cancel", runs.cancel != nil), ("delete", runs.delete != nil),
      ("retry", runs.retry != nil), ("suspend", runs.suspend != nil), ("setState", runs.setState != nil), ("templates", templates != nil),
      ("overlay", overlay != nil), ("log", log != nil), ("parent", parent != nil),
    ]
    return names + more.filter(\.1).map(\.0)
  }

  /// Operations that no example runs.
  var uncovered: [String] {
    let run = Set(examples.map(\.operation))
    var wanted = ["health"] + abilityNames.filter { ExampleRunner.operations.contains($0) }
    if overlay != nil { wanted += ["overlay.get", "overlay.set"] }
    return wanted.filter { !run.contains($0) }
  }
}
