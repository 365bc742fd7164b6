internal import KubeWire

/// The whole route table of our kinds: which handler answers which verb. Documents and health paths are answered before it is asked.
struct Routes: Sendable {
  enum Place: Sendable, Hashable {
    /// `/namespaces/{ns}/workflows` and, for get, `/workflows`.
    case collection
    /// `…/{name}`
    case item
    /// `…/{name}/{subresource}`
    case subresource(String)
  }

  struct Route: Sendable {
    let place: Place
    /// As RequestInfo tells it, and as RBAC names it.
    let verb: String
    let method: String
    let handler: any Handler
    /// False for what wants the namespace in the path.
    let acrossNamespaces: Bool

    init(_ method: String, _ place: Place, _ verb: String, _ handler: any Handler, acrossNamespaces: Bool = false) {
      self.method = method
      self.place = place
      self.verb = verb
      self.handler = handler
      self.acrossNamespaces = acrossNamespaces
    }
  }

  static let table: [Route] = [
    Route("GET", .collection, "list", ListHandler(), acrossNamespaces: true),
    Route("GET", .collection, "watch", WatchHandler(), acrossNamespaces: true),
    Route("POST", .collection, "create", CreateHandler()),
    Route("DELETE", .collection, "deletecollection", DeleteCollectionHandler()),
    Route("GET", .item, "get", GetHandler()),
    Route("PUT", .item, "update", UpdateHandler()),
    Route("PATCH", .item, "patch", PatchHandler()),
    Route("DELETE", .item, "delete", DeleteHandler()),
    Route("GET", .subresource("status"), "get", GetHandler()),
    Route("PUT", .subresource("status"), "update", UpdateHandler(subresource: "status")),
    Route("PATCH", .subresource("status"), "patch", PatchHandler(subresource: "status")),
    Route("GET", .subresource("log"), "get", LogHandler()),
    Route("POST", .subresource("cancel"), "create", CancelHandler()),
    Route("POST", .subresource("retry"), "create", RetryHandler()),
  ]

  /// - Throws: 404 for a resource that there is not, 405 with the methods that there are.
  static func route(_ info: RequestInfo, kind: KindDescription) throws(StatusError) -> any Handler {
    let place: Place = !info.hasName ? .collection : info.subresource.isEmpty ? .item : .subresource(info.subresource)
    // A namespaced object has its namespace in the path; a cluster-scoped one has none.
    if kind.isNamespaced ? info.hasName && info.namespace == nil : info.namespace != nil { throw .unknownPath }
    let here = table.filter {
      $0.place == place && offers($0, kind) && ($0.acrossNamespaces || info.namespace != nil || !kind.isNamespaced)
    }
    if here.isEmpty, case .subresource = place { throw .unknownPath }
    guard let route = here.first(where: { $0.verb == info.verb }) else {
      var allow: [String] = []
      for route in here where !allow.contains(route.method) { allow.append(route.method) }
      if case .subresource = place, info.verb == "delete" {
        throw .methodNotSupported(info.verb, resource: info.resource, group: info.group, allow: allow)
      }
      throw .methodNotAllowed(allow: allow)
    }
    return route.handler
  }

  /// Discovery's verbs decide.
  private static func offers(_ route: Route, _ kind: KindDescription) -> Bool {
    if case .subresource(let name) = route.place {
      return kind.subresources.contains { $0.name == name && $0.verbs.contains(route.verb) }
    }
    return kind.verbs.contains(route.verb)
  }
}
