/// Answers what a user may do; a host supplies one to expressions as ``CELValue/authorizer(_:)`` in a variable of type ``CELType/authorizer``.
public protocol CELAuthorizer: AnyObject, Sendable {
  /// - Throws: ``CELError``; the expression sees it through `errored()` and `error()` of the decision.
  func decide(_ request: CELAuthorizationRequest) throws(CELError) -> CELAuthorizationDecision
}

/// One question to an authorizer: about a path or about a resource.
public struct CELAuthorizationRequest: Sendable, Hashable {
  public var verb = ""
  /// For questions about paths, else nil.
  public var path: String?
  public var group = ""
  public var resource = ""
  public var subresource = ""
  public var namespace = ""
  public var name = ""
  public var fieldSelector = ""
  public var labelSelector = ""
  /// Namespace and name of the service account that is asked about; nil for the user of the request.
  public var serviceAccount: ServiceAccount?

  public struct ServiceAccount: Sendable, Hashable {
    public var namespace: String
    public var name: String
  }

  public init() {}
}

public struct CELAuthorizationDecision: Sendable, Hashable {
  public var isAllowed: Bool
  public var reason: String

  public init(isAllowed: Bool, reason: String = "") {
    self.isAllowed = isAllowed
    self.reason = reason
  }
}

extension CELType {
  public static let authorizer = CELType.abstract("kubernetes.authorization.Authorizer")
  public static let resourceCheck = CELType.abstract("kubernetes.authorization.ResourceCheck")
}

extension CELValue {
  /// What `authorizer` is in admission expressions.
  public static func authorizer(_ authorizer: any CELAuthorizer) -> CELValue {
    .opaque(Authorization(authorizer, .authorizer, CELAuthorizationRequest()))
  }

  /// What `authorizer.requestResource` is in admission expressions: a question that lacks only its verb.
  public static func resourceCheck(_ authorizer: any CELAuthorizer, _ request: CELAuthorizationRequest) -> CELValue {
    .opaque(Authorization(authorizer, .resourceCheck, request))
  }
}

/// A question on its way to being complete.
final class Authorization: CELOpaque {
  enum Kind: String { case authorizer = "Authorizer", pathCheck = "PathCheck", groupCheck = "GroupCheck", resourceCheck = "ResourceCheck" }

  let authorizer: any CELAuthorizer
  let kind: Kind
  let request: CELAuthorizationRequest

  init(_ authorizer: any CELAuthorizer, _ kind: Kind, _ request: CELAuthorizationRequest) {
    self.authorizer = authorizer
    self.kind = kind
    self.request = request
  }

  var typeName: String { "kubernetes.authorization." + kind.rawValue }

  func isEqual(to other: any CELOpaque) -> Bool {
    guard let other = other as? Authorization else { return false }
    return authorizer === other.authorizer && request == other.request
  }
}

final class Decision: CELOpaque {
  let decision: CELAuthorizationDecision
  let error: String?

  init(_ decision: CELAuthorizationDecision, error: String?) {
    self.decision = decision
    self.error = error
  }

  var typeName: String { "kubernetes.authorization.Decision" }

  func isEqual(to other: any CELOpaque) -> Bool {
    guard let other = other as? Decision else { return false }
    return decision == other.decision && error == other.error
  }
}

extension Library {
  private static let pathCheck = CELType.abstract("kubernetes.authorization.PathCheck")
  private static let groupCheck = CELType.abstract("kubernetes.authorization.GroupCheck")
  private static let decision = CELType.abstract("kubernetes.authorization.Decision")

  private static func question(_ value: CELValue) throws(CELError) -> Authorization {
    guard case .opaque(let opaque) = value, let authorization = opaque as? Authorization else { throw noOverload("authorizer", [value]) }
    return authorization
  }

  private static func step(
    _ name: String, _ from: CELType, _ to: CELType, _ kind: Authorization.Kind,
    _ change: @escaping @Sendable (inout CELAuthorizationRequest, String) -> Void
  ) -> CELFunction {
    .binary(name, member: true, from, .string, to) { value, argument throws(CELError) in
      let question = try question(value)
      var request = question.request
      change(&request, text(argument))
      return .opaque(Authorization(question.authorizer, kind, request))
    }
  }

  /// A check costs what Kubernetes counts for it.
  private static func check(_ from: CELType) -> CELFunction {
    .binary("check", member: true, from, .string, decision, cost: .constant(350_000)) { value, verb throws(CELError) in
      let question = try question(value)
      var request = question.request
      request.verb = text(verb)
      do throws(CELError) { return .opaque(Decision(try question.authorizer.decide(request), error: nil)) } catch {
        return .opaque(Decision(CELAuthorizationDecision(isAllowed: false), error: error.message))
      }
    }
  }

  private static func part(_ name: String, _ type: CELType, _ body: @escaping @Sendable (Decision) -> CELValue) -> CELFunction {
    .unary(name, member: true, decision, type) { value throws(CELError) in
      guard case .opaque(let opaque) = value, let decision = opaque as? Decision else { throw noOverload(name, [value]) }
      return body(decision)
    }
  }

  static let authorization: [CELFunction] = [
    step("path", .authorizer, pathCheck, .pathCheck) { $0.path = $1 }, check(pathCheck), check(.resourceCheck),
    step("group", .authorizer, groupCheck, .groupCheck) { $0.group = $1 },
    step("resource", groupCheck, .resourceCheck, .resourceCheck) { $0.resource = $1 },
    step("subresource", .resourceCheck, .resourceCheck, .resourceCheck) { $0.subresource = $1 },
    step("namespace", .resourceCheck, .resourceCheck, .resourceCheck) { $0.namespace = $1 },
    step("name", .resourceCheck, .resourceCheck, .resourceCheck) { $0.name = $1 },
    step("fieldSelector", .resourceCheck, .resourceCheck, .resourceCheck) { $0.fieldSelector = $1 },
    step("labelSelector", .resourceCheck, .resourceCheck, .resourceCheck) { $0.labelSelector = $1 },
    .many("serviceAccount", member: true, [.authorizer, .string, .string], .authorizer) { values throws(CELError) in
      let question = try question(values[0])
      var request = question.request
      request.serviceAccount = CELAuthorizationRequest.ServiceAccount(namespace: text(values[1]), name: text(values[2]))
      return .opaque(Authorization(question.authorizer, .authorizer, request))
    },
    part("allowed", .bool) { .bool($0.decision.isAllowed) }, part("reason", .string) { .string($0.decision.reason) },
    part("errored", .bool) { .bool($0.error != nil) }, part("error", .string) { .string($0.error ?? "") },
  ]
}
