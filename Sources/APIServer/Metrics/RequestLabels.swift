internal import HTTPMessage
internal import KubeWire

/// The labels that one request counts under, as numbers: together an index into a table (kubernetes-wire §12.2).
struct RequestLabels: Sendable, Hashable {
  enum Verb: String, CaseIterable, Sendable {
    case get = "GET"
    case list = "LIST"
    case watch = "WATCH"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case apply = "APPLY"
    case delete = "DELETE"
    case deleteCollection = "DELETECOLLECTION"
    /// Logs, as upstream calls what streams.
    case connect = "CONNECT"
    case other = "other"
  }

  enum DryRun: String, CaseIterable, Sendable {
    case none = ""
    case all = "All"
    case invalid = "invalid"
  }

  enum Scope: String, CaseIterable, Sendable {
    case none = ""
    case resource, namespace, cluster
  }

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
      verb = Verb(rawValue: request.method) ?? (request.method == "HEAD" ? .get : .other)
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

  static func tableSize(_ targets: MetricTargets) -> Int {
    Verb.allCases.count * DryRun.allCases.count * Scope.allCases.count * targets.all.count
  }

  var index: Int {
    let verb = Verb.allCases.firstIndex(of: verb)!
    let dryRun = DryRun.allCases.firstIndex(of: dryRun)!
    let scope = Scope.allCases.firstIndex(of: scope)!
    return ((target * Scope.allCases.count + scope) * DryRun.allCases.count + dryRun) * Verb.allCases.count + verb
  }

  init(index: Int) {
    var rest = index
    func take(_ count: Int) -> Int {
      defer { rest /= count }
      return rest % count
    }
    let verb = Verb.allCases[take(Verb.allCases.count)]
    let dryRun = DryRun.allCases[take(DryRun.allCases.count)]
    let scope = Scope.allCases[take(Scope.allCases.count)]
    self.init(verb: verb, dryRun: dryRun, scope: scope, target: rest)
  }
}
