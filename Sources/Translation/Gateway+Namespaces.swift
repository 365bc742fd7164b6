extension Gateway {
  /// The namespaces that show runs of an engine, in order.
  package var boundNamespaces: [String] { Set(bindings.map(\.info.namespace)).sorted() }
}
