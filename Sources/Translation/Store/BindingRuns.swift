internal import AdapterKit
internal import JSON

/// The runs and templates of one binding.
struct BindingRuns: Sendable {
  let settings: BindingSettings
  var runs: [RunKey: RunEntry] = [:]
  var isSwept = false
  var areTemplatesListed = false
  /// Objects of templates by `namespace/name`, with the complete lists in a row that did not have them.
  var templates: [String: TemplateEntry] = [:]
  /// The last complete reading of overlays that are kept apart.
  var overlays: KnownOverlays?
  /// Runs that are gone, and since when: what a call saw that began before that is history.
  var forgotten: [RunKey: (identity: String, at: Timestamp)] = [:]

  init(_ settings: BindingSettings) { self.settings = settings }

  /// Calls last seconds or minutes: what is longer ago need not be remembered.
  mutating func forgetForgotten(now: Timestamp) { forgotten = forgotten.filter { $0.value.at > now - .seconds(600) } }

  struct TemplateEntry: Sendable {
    var namespace: String
    var name: String
    var misses = 0
  }
}

/// All overlays of a binding as one reading saw them.
struct KnownOverlays: Sendable {
  var byUID: [String: JSONValue]
  var began: Timestamp
  var ended: Timestamp
}
