package import KubeWire

extension Gateway {
  /// WATCH and WatchList: a cursor into the window of events. It costs the engine nothing.
  ///
  /// - Throws: 410 before any event when the version left the window, 504 with cause ResourceVersionTooLarge, 503 while the scope was not read.
  package func watch(_ resource: Resource, namespace: String?, options: ListOptions, context: RequestContext) async throws(StatusError)
    -> Watch
  {
    try await waitForVersion(options)
    return try store.watch(resource, namespace: namespace, options: options)
  }
}
