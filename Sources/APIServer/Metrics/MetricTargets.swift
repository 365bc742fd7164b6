internal import KubeWire

/// What a request can be about, as labels tell it: our kinds with their subresources, our documents, and one for everything else. Whatever
/// clients invent, there are no more.
struct MetricTargets: Sendable {
  struct Target: Sendable, Hashable {
    var group = ""
    var version = ""
    var resource = ""
    /// The path for what is no resource.
    var subresource = ""
  }

  static let other = 0
  let all: [Target]
  private let resources: [String: Int]
  private let paths: [String: Int]
  private let group: String
  private let version: String

  /// - Parameter paths: of documents, without a slash at the end.
  init(_ group: APIGroup, paths: [String]) {
    self.group = group.name
    version = group.version
    var all = [Target(subresource: "other")]
    var resources: [String: Int] = [:]
    for kind in group.kinds {
      for subresource in [""] + kind.subresources.map(\.name) {
        resources["\(kind.plural)/\(subresource)"] = all.count
        all.append(Target(group: group.name, version: group.version, resource: kind.plural, subresource: subresource))
      }
    }
    var byPath: [String: Int] = [:]
    for path in paths + ["/", "/metrics", "/healthz", "/livez", "/readyz"] where byPath[path] == nil {
      byPath[path] = all.count
      all.append(Target(subresource: path))
    }
    self.all = all
    self.resources = resources
    self.paths = byPath
  }

  func index(of info: RequestInfo) -> Int {
    if info.isResourceRequest {
      guard info.group == group, info.version == version else { return Self.other }
      return resources["\(info.resource)/\(info.subresource)"] ?? Self.other
    }
    if HealthChecks.isHealthPath(info.path) { return paths["/" + info.path.dropFirst().prefix { $0 != "/" }] ?? Self.other }
    return paths[info.path.count > 1 && info.path.hasSuffix("/") ? String(info.path.dropLast()) : info.path] ?? Self.other
  }
}
