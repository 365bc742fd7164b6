package import KubeWire

/// What a request is about, told from its method, path and query alone (kubernetes-wire U6, as endpoints/request/requestinfo.go).
package struct RequestInfo: Sendable, Hashable {
  /// Below `/apis/GROUP/VERSION`, with a resource in it.
  package var isResourceRequest: Bool
  /// The decoded path.
  package var path: String
  /// get, list, watch, create, update, patch, delete or deletecollection, empty for another method; the method in lower case for what is no
  /// resource.
  package var verb: String
  package var group: String
  package var version: String
  /// nil for cluster-scoped requests and for lists over all namespaces.
  package var namespace: String?
  package var resource: String
  package var subresource: String
  /// Of the path or, for list and watch, the one that the field selector asks for.
  package var name: String
  /// The name stands in the path.
  package var hasName: Bool
  /// Of list, watch and deletecollection, for the authorizer (kubernetes-wire A4). nil when there is none, or none that can be read: a check
  /// without it is the broader one.
  package var labelSelector: LabelSelector?
  package var fieldSelector: FieldSelector?

  /// nil when the path cannot be decoded or has an empty segment (kubernetes-wire U5).
  package init?(method: String, path: String, query: QueryParameters) {
    var segments: [String] = []
    let raw = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    for (index, segment) in raw.enumerated() {
      // One slash at the end is allowed.
      if segment.isEmpty, index == raw.count - 1 { break }
      guard !segment.isEmpty, let decoded = PercentEncoding.decoded(segment) else { return nil }
      segments.append(decoded)
    }
    self.path = "/" + segments.joined(separator: "/") + (path.hasSuffix("/") && !segments.isEmpty ? "/" : "")
    isResourceRequest = false
    verb = method.lowercased()
    (group, version, resource, subresource, name) = ("", "", "", "", "")
    namespace = nil
    hasName = false

    guard segments.count >= 4, segments[0] == "apis" else { return }
    group = segments[1]
    version = segments[2]
    var rest = segments.dropFirst(3)
    if rest.first == "namespaces", rest.count >= 3 {
      namespace = rest[rest.startIndex + 1]
      rest = rest.dropFirst(2)
    }
    isResourceRequest = true
    resource = rest.popFirst() ?? ""
    if let first = rest.popFirst() {
      name = first
      hasName = true
    }
    subresource = rest.joined(separator: "/")
    switch method {
    case "GET", "HEAD":
      verb = hasName ? "get" : query.bool("watch") ? "watch" : "list"
    case "POST": verb = "create"
    case "PUT": verb = "update"
    case "PATCH": verb = "patch"
    case "DELETE": verb = hasName ? "delete" : "deletecollection"
    // A verb that nobody has a right to, nor any route: `LIST` as a method is no list, though HTTP/2 lets it through.
    default: verb = ""
    }
    guard !hasName, verb == "list" || verb == "watch" || verb == "deletecollection" else { return }
    labelSelector = Self.selector(query["labelSelector"]).flatMap { try? LabelSelector(parsing: $0) }
    fieldSelector = Self.selector(query["fieldSelector"]).flatMap { try? FieldSelector(parsing: $0, allowed: nil) }
    // As upstream for these two only: a permission for one name is none to delete by selector.
    if verb != "deletecollection", let exact = fieldSelector?.exactName { name = exact }
  }

  /// Of a request whose path is none: enough to ask who sent it and to write that down.
  package init(unreadable path: String, method: String) {
    isResourceRequest = false
    self.path = Self.isTooLong(path) ? String(decoding: path.utf8.prefix(Self.maximumPath), as: UTF8.self) : path
    verb = method.lowercased()
    (group, version, resource, subresource, name) = ("", "", "", "", "")
    namespace = nil
    hasName = false
  }

  /// Several times what the longest path to anything of ours takes. A longer one would go to the cluster, with the question who may ask for it.
  private static let maximumPath = 4096
  /// Longer selectors are not for the authorizer, who can do without.
  private static let maximumSelector = 8192

  package static func isTooLong(_ path: String) -> Bool { path.utf8.count > maximumPath }

  /// Why a path is none. 404 only where it leads to no object for certain (kubernetes-wire U5, G5).
  package static func refusal(ofPath path: String) -> StatusError {
    if isTooLong(path) {
      return StatusError(Status(code: 414, reason: "RequestURITooLong", message: "the path is too long: limit is \(maximumPath)"))
    }
    return path.contains("//") ? .unknownPath : .badRequest("the path cannot be decoded")
  }

  /// - Throws: 400 for what no object is called, as it stands in a path where two segments, or none, were meant.
  func checkName() throws(StatusError) {
    guard hasName else { return }
    let faults =
      [".", ".."].contains(name) ? ["may not be '\(name)'"] : ["/", "%"].filter { name.contains($0) }.map { "may not contain '\($0)'" }
    guard !faults.isEmpty else { return }
    throw .badRequest("Name parameter invalid: \(GoText.quoted(name)): \(faults.joined(separator: ";"))")
  }

  private static func selector(_ text: String?) -> String? { text.flatMap { $0.isEmpty || $0.utf8.count > maximumSelector ? nil : $0 } }

  /// Watches and logs, which no deadline ends and no limit counts.
  package var isLongRunning: Bool { verb == "watch" || subresource == "log" }
}
