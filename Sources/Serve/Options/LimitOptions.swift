import ArgumentParser

/// How much at one time, and how long.
struct LimitOptions: ParsableArguments {
  @Option(help: "Reads in progress at once, watches and logs not counted; above it 429. 0 for no limit.")
  var maxRequestsInflight: Int = 400

  @Option(help: "Writes in progress at once; above it 429. 0 for no limit.")
  var maxMutatingRequestsInflight: Int = 200

  @Option(help: "Watches and logs that one user may have open; above it 429. 0 for no limit.")
  var maxWatchesPerUser: Int = 1_000

  @Option(help: "Longest and default time of a request that is neither a watch nor a log.")
  var requestTimeout = DurationFlag(seconds: 60)

  func validate() throws {
    for (name, value) in [
      ("--max-requests-inflight", maxRequestsInflight), ("--max-mutating-requests-inflight", maxMutatingRequestsInflight),
      ("--max-watches-per-user", maxWatchesPerUser),
    ] where value < 0 {
      throw ValidationError("\(name) must not be negative; 0 is no limit")
    }
    guard requestTimeout.duration > .zero else { throw ValidationError("--request-timeout must be more than 0") }
  }
}
