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
  }
}

/// All overlays of a binding as one reading saw them.
struct KnownOverlays: Sendable {
  let byUID: [String: JSONValue]
  let began: Timestamp
  let ended: Timestamp
  /// The uids whose overlay keeps an object beyond its window.
  let holding: Set<String>

  init(byUID: [String: JSONValue], began: Timestamp, ended: Timestamp) {
    self.byUID = byUID
    self.began = began
    self.ended = ended
    holding = Set(byUID.filter { Held.says($0.value) ?? false }.keys)
  }
}

/// Objects with finalizers, and those being deleted, stay whatever their age (design §5, window). What the documents of a run say of that, before it is
/// certain that they are its own.
enum Held {
  /// nil where the overlay leaves it to the envelope.
  static func says(_ overlay: JSONValue) -> Bool? {
    if overlay["hidden"]?.bool ?? false { return false }
    if let moment = overlay["deletionTimestamp"], moment != .null { return true }
    return overlay["finalizers"]?.array.map { !$0.isEmpty }
  }

  static func says(envelope: JSONValue) -> Bool { !(envelope["finalizers"]?.array ?? []).isEmpty }
}
