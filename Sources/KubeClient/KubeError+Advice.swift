import KubeWire

extension KubeError {
  /// For a Status that anybody may read: why the cluster gave no answer, without addresses and without what it said. Whoever uses it logs all of it.
  ///
  /// - Parameters:
  ///   - request: what was asked, such as `TokenReview`.
  ///   - needs: what the gateway's account must be granted for it.
  package func advice(_ request: String, needs: String) -> String {
    switch self {
    case .unreachable: "its API server cannot be reached"
    case .malformed: "its answer to the gateway's \(request) cannot be understood"
    case .status(let status) where status.code == 403 || status.code == 401:
      "it answered \(status.code) to the gateway's \(request); the gateway's account needs \(needs)"
    case .status(let status): "it answered \(status.code) to the gateway's \(request)"
    }
  }

  /// ``advice(_:needs:)`` about reviews of tokens and of access.
  package func advice(review: String) -> String { advice(review, needs: "the ClusterRole system:auth-delegator") }

  /// The cluster's own word that there is no such object. A 404 without its name may be a proxy's, or that of a server that is starting.
  ///
  /// - Parameter name: of the object that was asked for.
  package func isAbsence(of name: String) -> Bool {
    guard case .status(let refusal) = self else { return false }
    return refusal.code == 404 && refusal.status.details?.name == name
  }
}
