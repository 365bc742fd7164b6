package import JSON
package import KubeWire

/// A PUT or PATCH on its way through the gateway.
package struct UpdateRequest: Sendable {
  package enum Change: Sendable {
    /// Makes the wanted object of the present one: the whole object, with its status and its resourceVersion.
    ///
    /// May be called several times, with newer objects.
    case replace(@Sendable (JSONValue) throws(StatusError) -> JSONValue)
    /// What a manager applies, with the types of the schema.
    case apply(JSONValue, force: Bool)
  }

  package var change: Change
  /// Empty or status.
  package var subresource: String
  package var options: WriteOptions
  package var manager: WriteManager
  /// Throws for a user who may change objects but not make them; asked before an apply makes one.
  package var authorizeCreate: @Sendable () async throws(StatusError) -> Void

  package init(
    _ change: Change, subresource: String = "", options: WriteOptions, manager: WriteManager,
    authorizeCreate: @escaping @Sendable () async throws(StatusError) -> Void = {}
  ) {
    self.authorizeCreate = authorizeCreate
    self.change = change
    self.subresource = subresource
    self.options = options
    self.manager = manager
  }
}

package struct UpdateResult: Sendable {
  /// As it is then; unchanged, with its version, when nothing was to be done (kubernetes-wire C15).
  package var object: StoredObject
  /// An apply found nothing and made it.
  package var isNew: Bool
}
