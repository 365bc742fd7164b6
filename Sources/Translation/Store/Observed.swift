package import AdapterKit
package import JSON

/// What one call saw of one run, with what the order rule needs to know of the call.
package struct Observed: Sendable {
  package enum Source: Sendable, Hashable {
    /// A row of a list, an incremental listing or an overlay page.
    case list
    /// A read of exactly this run.
    case get
    /// The answer to a write of ours, or what that write certainly made true.
    case write
  }

  package var binding: BindingID
  package var observation: Observation
  /// When the call began and ended, by our clock.
  package var began: Timestamp
  package var ended: Timestamp
  package var source: Source

  package init(_ binding: BindingID, _ observation: Observation, began: Timestamp, ended: Timestamp, source: Source) {
    self.binding = binding
    self.observation = observation
    self.began = began
    self.ended = ended
    self.source = source
  }
}
