import KubeClient
import KubeWire

extension KubeError {
  /// For a Status that anybody may read: why the cluster gave no answer, without addresses and without what it said. The log has all of it.
  func advice(_ review: String) -> String {
    switch self {
    case .unreachable: "its API server cannot be reached"
    case .malformed: "its answer is not a \(review)"
    case .status(let status) where status.code == 403 || status.code == 401:
      "it answered \(status.code) to the gateway's \(review); the gateway's account needs the ClusterRole system:auth-delegator"
    case .status(let status): "it answered \(status.code) to the gateway's \(review)"
    }
  }
}
