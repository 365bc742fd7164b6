import JSON
import KubeClient
import Translation

/// Tells a kind that the cluster does not have from a 404 that says nothing: a proxy that knows no path gives one, and so does a server that is
/// starting.
struct KindDiscovery {
  let api: any KubeAPI

  /// Whether the group's own documents name the kind in none of the versions.
  ///
  /// - Parameter paths: the collection in each version, such as `/apis/example.com/v1/things`.
  /// - Throws: when a document cannot be read, or is not what discovery gives; then nothing is known.
  func lacks(_ paths: [String]) async throws(KubeError) -> Bool {
    let places = paths.map { $0.split(separator: "/").map { String($0) } }
    guard let group = places.first?.dropLast(2).joined(separator: "/") else { return false }
    let versions = try await document("/\(group)", "APIGroup")["versions"]?.array ?? []
    let served = Set(versions.compactMap { $0["version"]?.string })
    guard !served.isEmpty else { throw .malformed("/\(group) names no version") }
    for place in places where served.contains(place[place.count - 2]) {
      let path = "/" + place.dropLast().joined(separator: "/")
      let resources = try await document(path, "APIResourceList")["resources"]?.array ?? []
      if resources.contains(where: { $0["name"]?.string == place.last }) { return false }
    }
    return true
  }

  private func document(_ path: String, _ kind: String) async throws(KubeError) -> JSONValue {
    let body = try await api.send(KubeRequest("GET", path)).body
    guard body["kind"]?.string == kind else { throw .malformed("\(path) is not an \(kind)") }
    return body
  }
}
