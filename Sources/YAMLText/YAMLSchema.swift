internal import JSON
internal import Yams

/// How scalars are typed.
package enum YAMLSchema: Sendable {
  /// ``YAMLScalar``: what files of ours are read with.
  case core
  /// ``KubernetesScalar``: what the bodies of requests are read with, so that a manifest means the same here as at any other API server.
  case kubernetes

  func value(_ scalar: Node.Scalar) throws(YAMLText.Failure) -> JSONValue {
    switch self {
    case .core: return YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
    case .kubernetes:
      do throws(KubernetesScalar.Refusal) {
        return try KubernetesScalar.value(scalar.string, tag: scalar.tag.description)
      } catch {
        throw YAMLText.Failure("line \(scalar.mark?.line ?? 0): \(error.why)")
      }
    }
  }
}
