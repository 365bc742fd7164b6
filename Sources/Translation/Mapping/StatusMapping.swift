internal import AdapterKit
internal import KubeWire

/// The one place where an engine's refusal becomes a Kubernetes Status (design §7).
struct EngineRefusal {
  let resource: String
  let kind: String
  let group: String
  let name: String
  /// The backend's name in the configuration; it begins every message, so that the user knows who speaks.
  let backend: String
  /// The engine's name for people.
  let engine: String

  /// - Parameter isWrite: clients repeat any request whose answer has Retry-After (kubernetes-wire E2): it is sent only where certainly nothing was
  ///   written.
  func status(_ error: AdapterError, isWrite: Bool) -> StatusError {
    let message = message(error)
    let wait = error.retryAfter.map { max(1, Int($0.components.seconds)) }
    if error.inDoubt {
      return .timeout("\(message); it is not known whether the engine took it: look before you try again")
    }
    switch error.code {
    case .invalid:
      return .invalid(
        kind: kind, group: group, name: name,
        errors: [FieldError(.invalid, field: Self.path(error.field), detail: message)])
    case .notFound where isWrite: return unproven(error, retryAfter: nil)
    case .notFound: return .notFound(resource: resource, group: group, name: name)
    case .alreadyExists: return .alreadyExists(resource: resource, group: group, name: name, suffix: ": \(message)")
    case .conflict: return .conflict(resource: resource, group: group, name: name, reason: message)
    case .unauthenticated, .forbidden:
      return .serviceUnavailable(
        "\(message); the engine rejected the gateway's own credentials, not yours: check the backend's credentials", retryAfter: nil)
    case .rateLimited: return .tooManyRequests(message, retryAfter: wait ?? 5)
    case .unsupported: return .methodNotAllowed(message)
    case .timeout: return .timeout(message)
    case .cancelled: return .timeout("\(message); the request was given up")
    case .malformedAnswer: return .internalError(message)
    default: return .serviceUnavailable(message, retryAfter: isWrite ? nil : wait ?? 1)
    }
  }

  /// A 404 of the engine for something that may well exist.
  ///
  /// - Parameter retryAfter: only where nothing was written.
  func unproven(_ error: AdapterError, retryAfter: Int?) -> StatusError {
    .serviceUnavailable("\(message(error)); that alone does not prove that it is gone", retryAfter: retryAfter)
  }

  private func message(_ error: AdapterError) -> String { "backend \"\(backend)\" (\(engine)): \(error.message)" }

  /// `parameters.seconds` as the adapter says it, in the object's own terms.
  private static func path(_ field: String?) -> String {
    guard let field, !field.isEmpty else { return "spec" }
    // What we made of namespace and name.
    if ["name", "key", "idempotencyKey", "dag_run_id"].contains(field) { return "metadata.name" }
    return field.hasPrefix("spec") ? field : "spec.\(field)"
  }
}
