internal import HTTPMessage
internal import KubeWire

/// The labels that one request counts under, as numbers: together an index into a table (kubernetes-wire §12.2).
struct RequestLabels: Sendable, Hashable {
  // The raw values are places in the table, the texts what the labels say.
  enum Verb: Int, CaseIterable, Sendable {
    /// `connect` are logs, as upstream calls what streams.
    case get, list, watch, post, put, patch, apply, delete, deleteCollection, connect, other

    private static let texts = ["GET", "LIST", "WATCH", "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION", "CONNECT", "other"]
    var text: String { Self.texts[rawValue] }

    /// Of what is no resource.
    init(method: String) {
      switch method {
      case "GET", "HEAD": self = .get
      case "POST": self = .post
      case "PUT": self = .put
      case "PATCH": self = .patch
      case "DELETE": self = .delete
      default: self = .other
      }
    }
  }

  enum DryRun: Int, CaseIterable, Sendable {
    case none, all, invalid
    var text: String { ["", "All", "invalid"][rawValue] }
  }

  enum Scope: Int, CaseIterable, Sendable {
    case none, resource, namespace, cluster
    var text: String { ["", "resource", "namespace", "cluster"][rawValue] }
  }

  private static let verbs = Verb.allCases.count
  private static let dryRuns = DryRun.allCases.count
  private static let scopes = Scope.allCases.count

  var verb: Verb
  var dryRun: DryRun
  var scope: Scope
  /// In ``MetricTargets``.
  var target: Int

  init(verb: Verb, dryRun: DryRun = .none, scope: Scope = .none, target: Int = MetricTargets.other) {
    self.verb = verb
    self.dryRun = dryRun
    self.scope = scope
    self.target = target
  }

  /// - Parameter info: nil for a path that cannot be read.
  init(_ request: HTTPRequest, _ info: RequestInfo?, _ query: QueryParameters, targets: MetricTargets) {
    self.init(verb: .other)
    let values = query.all("dryRun")
    if !values.isEmpty { dryRun = values.allSatisfy { $0 == "All" } ? .all : .invalid }
    guard let info else { return }
    target = targets.index(of: info)
    guard info.isResourceRequest else {
      verb = Verb(method: request.method)
      return
    }
    scope = !info.name.isEmpty || info.verb == "create" ? .resource : info.namespace != nil ? .namespace : .cluster
    switch info.verb {
    case "get": verb = info.subresource == "log" ? .connect : .get
    case "list": verb = .list
    case "watch": verb = .watch
    case "create": verb = .post
    case "update": verb = .put
    case "patch":
      let isApply = request.headers["Content-Type"]?.lowercased().hasPrefix("application/apply-patch+") ?? false
      verb = isApply ? .apply : .patch
    case "delete": verb = .delete
    case "deletecollection": verb = .deleteCollection
    default: verb = .other
    }
  }

  /// Without `dry_run`, for the families that do not have it.
  var base: RequestLabels { RequestLabels(verb: verb, scope: scope, target: target) }

  static func tableSize(_ targets: MetricTargets) -> Int { verbs * dryRuns * scopes * targets.all.count }

  var index: Int { ((target * Self.scopes + scope.rawValue) * Self.dryRuns + dryRun.rawValue) * Self.verbs + verb.rawValue }

  init(index: Int) {
    var rest = index
    func take(_ count: Int) -> Int {
      defer { rest /= count }
      return rest % count
    }
    let (verb, dryRun, scope) = (take(Self.verbs), take(Self.dryRuns), take(Self.scopes))
    self.init(verb: Verb(rawValue: verb)!, dryRun: DryRun(rawValue: dryRun)!, scope: Scope(rawValue: scope)!, target: rest)
  }
}
