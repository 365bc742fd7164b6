internal import AdapterKit
internal import JSON

/// The runs and templates of one binding.
struct BindingRuns: Sendable {
  let settings: BindingSettings
  var runs: [RunKey: RunEntry] = [:]
  var isSwept = false
  var areTemplatesListed = false
  var clock = EngineClock()
  /// Templates by the `namespace/name` that they want.
  var templates: [String: TemplateEntry] = [:]
  /// The last complete reading of overlays that are kept apart.
  var overlays: KnownOverlays?
  /// Runs that are gone, and since when: what a call saw that began before that is history.
  var forgotten: [RunKey: (identity: String, at: Timestamp)] = [:]

  init(_ settings: BindingSettings) { self.settings = settings }

  /// Calls last seconds or minutes: what is longer ago need not be remembered.
  mutating func forgetForgotten(now: Timestamp) { forgotten = forgotten.filter { $0.value.at > now - .seconds(600) } }

  struct TemplateEntry: Sendable {
    /// Under the name that it wants.
    var draft: ObjectDraft
    /// Under which it is shown; nil where another binding shows the same template.
    var shownName: String?
    /// Complete lists in a row that did not have it.
    var misses = 0
  }
}

/// All overlays of a binding as one reading saw them.
struct KnownOverlays: Sendable {
  var byUID: [String: JSONValue]
  var began: Timestamp
  var ended: Timestamp
}
