internal import HTTPMessage
internal import KubeWire

/// The old way to ask for a watch: `…/v1alpha1/watch/workflows` is `…/v1alpha1/workflows?watch=true`, and a name behind it is a field selector.
enum WatchPrefix {
  /// - Returns: the path and the query of the same watch as it is asked for today; those of the request for any other.
  static func replaced(in request: HTTPRequest) -> (path: String, query: String) {
    let asked = (path: request.path, query: request.query)
    guard request.method == "GET" || request.method == "HEAD", !RequestInfo.isTooLong(request.path) else { return asked }
    // An empty one, "apis", group, version, "watch" and a resource at least.
    var segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
    guard segments.count > 5, segments[1] == "apis", segments[4] == "watch", !segments[5].isEmpty else { return asked }
    segments.remove(at: 4)
    let isNamespaced = segments[4] == "namespaces" && segments.count > 6
    let nameIndex = isNamespaced ? 7 : 5
    guard segments.count <= nameIndex + 1 else { return asked }
    var query = "watch=true" + (request.query.isEmpty ? "" : "&\(request.query)")
    if segments.count == nameIndex + 1, let name = PercentEncoding.decoded(segments[nameIndex]), !name.isEmpty {
      segments.removeLast()
      // The name of the path comes first: it is what is authorized and written down. What the client selects besides still counts.
      let given = QueryParameters(request.query)["fieldSelector"].map { $0.isEmpty ? "" : ",\($0)" } ?? ""
      query = "fieldSelector=\(PercentEncoding.encoded("metadata.name=\(FieldSelector.escaped(name))\(given)"))&" + query
    }
    return (segments.joined(separator: "/"), query)
  }
}
