package import KubeWire

/// Why a list or watch cannot be answered.
package enum ReadFailure: Error, Sendable, Hashable {
  /// The version left the window, or is of another life of the counter.
  case versionGone(requested: UInt64, floor: UInt64)
  /// What a list asked for exactly is not kept any more.
  case listVersionGone
  /// The token's version left the window. A client may go on with the given token, at the newest state.
  case continueGone(inconsistent: String)
  /// Nothing that new was ever given out. Worth waiting for, up to 3 s.
  case versionTooLarge(requested: UInt64, current: UInt64)
  case invalidVersion(String)
  case invalidContinue(String)
  /// Bindings in the scope whose first sweep has not ended (design §4.7).
  case notSwept([BindingID])

  /// In Kubernetes' words (kubernetes-wire §5, W4).
  package var statusError: StatusError {
    switch self {
    case .versionGone(let requested, let floor): .tooOldResourceVersion(requested: requested, oldest: floor)
    case .listVersionGone: .listVersionExpired
    case .continueGone(let token): .expired(Self.continueText, continueToken: token)
    case .versionTooLarge(let requested, let current): .resourceVersionTooLarge(requested: requested, current: current)
    case .invalidVersion(let text):
      .badRequest("invalid resource version: resourceVersion: Invalid value: \"\(text)\": not a decimal number")
    case .invalidContinue(let why): .badRequest("invalid continue token: continue key is not valid: \(why)")
    case .notSwept(let bindings):
      .serviceUnavailable(
        "the first full read of \(bindings.map(\.name).sorted().joined(separator: ", ")) from its engine has not ended yet; until then an "
          + "empty or partial answer could be taken for deletions", retryAfter: 1)
    }
  }

  private static let continueText =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, "
    + "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an "
    + "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up "
    + "in the list."
}
