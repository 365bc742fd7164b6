import ArgumentParser

/// The cluster that the gateway asks.
struct ClusterOptions: ParsableArguments {
  @Option(
    help:
      "Kubeconfig of the cluster: for what --authentication-kubeconfig and --authorization-kubeconfig are not given for, for admission and for Events. In a pod its service account is used without it."
  )
  var kubeconfig: String?
}
