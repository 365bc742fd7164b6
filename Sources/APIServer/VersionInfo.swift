internal import JSON

/// The content of `/version` (kubernetes-wire H4).
package struct VersionInfo: Sendable {
  /// The Kubernetes version whose API conventions are followed, as semantic version with a leading v, followed by our own.
  package var gitVersion: String
  package var gitCommit: String
  package var buildDate: String

  package init(gitVersion: String = "v1.33.0+workflow-apiserver", gitCommit: String = "", buildDate: String = "1970-01-01T00:00:00Z") {
    self.gitVersion = gitVersion
    self.gitCommit = gitCommit
    self.buildDate = buildDate
  }

  var json: JSONValue {
    let parts = gitVersion.drop { $0 == "v" }.split(separator: ".")
    return [
      "major": .string(parts.first.map(String.init) ?? "1"), "minor": .string(parts.count > 1 ? String(parts[1]) : "0"),
      "gitVersion": .string(gitVersion), "gitCommit": .string(gitCommit), "gitTreeState": "clean", "buildDate": .string(buildDate),
      "goVersion": "", "compiler": "swift", "platform": .string(Self.platform),
    ]
  }

  private static var platform: String {
    #if arch(arm64)
      "linux/arm64"
    #else
      "linux/amd64"
    #endif
  }
}
