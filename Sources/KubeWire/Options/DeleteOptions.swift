package import JSON
internal import OrderedCollections

/// What a delete asks for, from the body or, where there is none, from the query (kubernetes-wire §7.5).
package struct DeleteOptions: Sendable, Hashable {
  package enum PropagationPolicy: String, Sendable, Hashable {
    case foreground = "Foreground"
    case background = "Background"
    case orphan = "Orphan"
  }

  package struct Preconditions: Sendable, Hashable {
    package var uid: String?
    package var resourceVersion: String?

    package init(uid: String? = nil, resourceVersion: String? = nil) {
      self.uid = uid
      self.resourceVersion = resourceVersion
    }
  }

  /// nil when not given: background, or whatever a finalizer of the garbage collector on the object says.
  package var propagationPolicy: PropagationPolicy?
  package var preconditions: Preconditions
  package var dryRun: Bool
  /// Accepted and not used.
  package var gracePeriodSeconds: Int?
  /// The old spelling of Orphan (true) and Background (false).
  package var orphanDependents: Bool?

  package init(
    propagationPolicy: PropagationPolicy? = nil, preconditions: Preconditions = Preconditions(), dryRun: Bool = false,
    gracePeriodSeconds: Int? = nil, orphanDependents: Bool? = nil
  ) {
    self.propagationPolicy = propagationPolicy
    self.preconditions = preconditions
    self.dryRun = dryRun
    self.gracePeriodSeconds = gracePeriodSeconds
    self.orphanDependents = orphanDependents
  }

  /// - Parameter body: the DeleteOptions object, with or without kind; nil when the request had no body.
  /// - Throws: 400 for a body that is no DeleteOptions, 422 for values that cannot be.
  package init(body: JSONValue?, query: QueryParameters) throws(StatusError) {
    self.init()
    var policy: String?
    var dryRuns = query.all("dryRun")
    if let body {
      guard case .object(let members) = body else { throw Self.undecodable("the body is no object") }
      if let kind = members["kind"]?.string, !kind.isEmpty, kind != "DeleteOptions" {
        throw .badRequest("decoded object cannot be converted to DeleteOptions")
      }
      policy = try Self.member(members, "propagationPolicy", \.string, "string")
      orphanDependents = try Self.member(members, "orphanDependents", \.bool, "boolean")
      gracePeriodSeconds = try Self.member(members, "gracePeriodSeconds", \.int, "integer").map { Int($0) }
      dryRuns += try Self.dryRuns(members)
      if let conditions = try Self.member(members, "preconditions", \.object, "object") {
        preconditions.uid = try Self.member(conditions, "uid", \.string, "string")
        preconditions.resourceVersion = try Self.member(conditions, "resourceVersion", \.string, "string")
      }
    } else {
      policy = query["propagationPolicy"]
      orphanDependents = query.optionalBool("orphanDependents")
      gracePeriodSeconds = try query.int("gracePeriodSeconds").map { Int($0) }
      preconditions.uid = query["preconditions.uid"]
      preconditions.resourceVersion = query["preconditions.resourceVersion"]
    }
    var errors: [FieldError] = []
    if let policy {
      propagationPolicy = PropagationPolicy(rawValue: policy)
      if propagationPolicy == nil {
        errors.append(.notSupported("propagationPolicy", .string(policy), supported: ["Foreground", "Background", "Orphan", "nil"]))
      }
      if orphanDependents != nil {
        errors.append(.invalid("propagationPolicy", .string(policy), "orphanDependents and deletionPropagation cannot be both set"))
      }
    }
    dryRun = DryRun.parse(dryRuns, &errors)
    guard errors.isEmpty else { throw .invalidOptions("DeleteOptions", errors) }
  }

  /// The policy with the old spelling translated; nil when neither was given.
  package var effectivePolicy: PropagationPolicy? { propagationPolicy ?? orphanDependents.map { $0 ? .orphan : .background } }

  private static func member<T>(_ object: JSONObject, _ name: String, _ read: (JSONValue) -> T?, _ type: String) throws(StatusError) -> T? {
    guard let value = object[name], !value.isNull else { return nil }
    guard let result = read(value) else { throw undecodable("\(name) must be of type \(type), not \(value.typeName)") }
    return result
  }

  /// Nothing is left out of the list: what is not understood shall not become a real delete.
  private static func dryRuns(_ members: JSONObject) throws(StatusError) -> [String] {
    var values: [String] = []
    for element in try member(members, "dryRun", \.array, "array") ?? [] {
      // Go reads null as the empty text, which is no legal value.
      guard let value = element.isNull ? "" : element.string else {
        throw undecodable("dryRun[\(values.count)] must be of type string, not \(element.typeName)")
      }
      values.append(value)
    }
    return values
  }

  private static func undecodable(_ why: String) -> StatusError {
    .badRequest("DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: \(why)")
  }
}
