package import AdapterKit
package import JSON

/// Turns what is known of a run into the object that represents it. Pure: the same input always gives the same object, on every replica.
package protocol RunProjecting: Sendable {
  /// - Parameter ownsEnvelope: the run's envelope was made for it; false for foreign runs and for copies.
  /// - Returns: nil when the run is not to be shown. Called only when core and envelope are known.
  func project(_ run: KnownRun, binding: BindingID, ownsEnvelope: Bool) -> ObjectDraft?

  /// The identity of the envelope that a run carries; nil for a document that is not one of ours, not signed by us, or not made for a run like this.
  func envelopeIdentity(of run: KnownRun, binding: BindingID) -> EnvelopeIdentity?

  func project(_ template: EngineTemplate, binding: BindingID) -> ObjectDraft?
}

/// What the store has to know of an envelope.
package struct EnvelopeIdentity: Sendable, Hashable {
  package var uid: String
  package var submittedAt: Timestamp
  /// `spec.timeout`, to be enforced where the engine does not; nil for none.
  package var timeout: Duration?
  /// The key that it was submitted under; nil where that is not known.
  package var submissionKey: String?

  package init(uid: String, submittedAt: Timestamp, timeout: Duration? = nil, submissionKey: String? = nil) {
    self.uid = uid
    self.submittedAt = submittedAt
    self.timeout = timeout
    self.submissionKey = submissionKey
  }
}
