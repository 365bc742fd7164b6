#if canImport(Glibc)
  internal import Glibc
#endif

/// Finds a step's program before it is started, so that what is missing can be named.
enum ExecutableLookup {
  /// - Parameters:
  ///   - program: a name to look for in `path`, or a path, relative to `folder` or absolute.
  /// - Returns: the absolute path, or the reason why there is none.
  static func find(_ program: String, path: String, folder: String) -> Result<String, Missing> {
    if program.contains("/") {
      let absolute = program.hasPrefix("/") ? program : "\(folder)/\(program)"
      var status = stat()
      guard stat(absolute, &status) == 0 else { return .failure(Missing(reason: "command not found: \(program)")) }
      guard isProgram(absolute) else { return .failure(Missing(reason: "command cannot be executed: \(program)")) }
      return .success(absolute)
    }
    for entry in path.split(separator: ":") where entry.hasPrefix("/") {
      let candidate = "\(entry)/\(program)"
      if isProgram(candidate) { return .success(candidate) }
    }
    return .failure(Missing(reason: "command not found: \(program)"))
  }

  struct Missing: Error, Hashable { var reason: String }

  private static func isProgram(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
  }
}
