package import KubeWire

/// The HTTP face's settings; every default is here.
package struct APIServerConfiguration: Sendable {
  /// The group, version and kinds that are served.
  package var group: APIGroup
  /// What `/version` tells. kubectl warns when its own minor version is more than one away from it, and client-go wants a semantic version.
  package var version: VersionInfo
  /// Longest and default time of a request that is no watch and no log; 60 s (kubernetes-wire U4).
  package var requestTimeout: Duration
  /// Length of a watch without `timeoutSeconds`: between once and twice this; 1800 s (kubernetes-wire W9).
  package var minimumWatch: Duration
  /// Time between bookmarks; 60 s (kubernetes-wire W10).
  package var bookmarkInterval: Duration
  /// Reads at one time, watches and logs not counted; 400. Above it 429; 0 for no limit.
  package var maximumRequestsInFlight: Int
  /// Writes at one time; 200. Above it 429; 0 for no limit.
  package var maximumMutatingRequestsInFlight: Int
  /// Watches and logs that one user may have open; 1000. Above it 429; 0 for no limit.
  package var maximumWatchesPerUser: Int
  /// Bytes of a request body; 3 MiB (kubernetes-wire C5).
  package var maximumBody: Int
  /// Paths that need no permission; one that ends in `*` stands for all that begin so. Health unless told.
  package var alwaysAllowPaths: [String] = Access.healthPaths

  package init(
    group: APIGroup = APIGroup(), version: VersionInfo = VersionInfo(), requestTimeout: Duration = .seconds(60),
    minimumWatch: Duration = .seconds(1800), bookmarkInterval: Duration = .seconds(60), maximumRequestsInFlight: Int = 400,
    maximumMutatingRequestsInFlight: Int = 200, maximumWatchesPerUser: Int = 1000, maximumBody: Int = 3 << 20
  ) {
    self.group = group
    self.version = version
    self.requestTimeout = requestTimeout
    self.minimumWatch = minimumWatch
    self.bookmarkInterval = bookmarkInterval
    self.maximumRequestsInFlight = maximumRequestsInFlight
    self.maximumMutatingRequestsInFlight = maximumMutatingRequestsInFlight
    self.maximumWatchesPerUser = maximumWatchesPerUser
    self.maximumBody = maximumBody
  }
}
