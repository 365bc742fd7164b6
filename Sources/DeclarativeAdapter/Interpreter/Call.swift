internal import CEL

/// What belongs to one call of the adapter from its first request to its last.
struct Call: Sendable {
  var variables: CELVariables
  /// A call logs in anew once at most.
  var renewed = false
  /// A request that writes was answered: from here on a failure does not mean that nothing happened.
  var wrote = false
  /// The operation makes a run: a conflict means that the key is taken.
  var submitting = false

  init(_ variables: CELVariables) { self.variables = variables }
}
