public import JSON

/// What an adapter is set up with: one installation of its engine.
public struct BackendContext: Sendable {
  /// The backend's name in the configuration.
  public var name: String
  /// Base URL without a trailing slash.
  public var url: String
  /// The operator's `settings` for this backend, in the form that the adapter's schema asks for.
  public var settings: JSONValue
  /// Reads a credential by its name in the configuration, anew at each call, so that a rotated Secret is used at once.
  ///
  /// - Throws: ``AdapterError`` `.unauthenticated` naming the file or variable that cannot be read; never the value.
  public var credential: @Sendable (_ name: String) throws(AdapterError) -> String
  public var transport: any HTTPTransport

  public init(
    name: String, url: String, settings: JSONValue = .emptyObject, transport: any HTTPTransport,
    credential: @escaping @Sendable (_ name: String) throws(AdapterError) -> String
  ) {
    self.name = name
    self.url = url
    self.settings = settings
    self.transport = transport
    self.credential = credential
  }
}
