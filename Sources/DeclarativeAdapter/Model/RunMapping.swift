internal import AdapterKit
internal import OrderedCollections

/// Engine words for states, and what they mean.
struct StateTable: Sendable {
  struct Meaning: Sendable {
    var phase: RunPhase
    var reason: String?
  }

  var states: OrderedDictionary<String, Meaning>
  /// For words that are not in the table (`"*"`); nil makes such a row unreadable.
  var otherwise: Meaning?

  func meaning(of state: String) -> Meaning? { states[state] ?? otherwise }
}

/// How one row becomes an ``Observation``.
struct RunMapping: Sendable {
  enum AttemptField: Sendable {
    case unknown
    case number(ValueTemplate)
    case since(ValueTemplate)
  }

  enum OrderField: Sendable {
    case sequence(ValueTemplate)
    case time(ValueTemplate)
  }

  enum FacetField: Sendable {
    /// Never in this row.
    case unseen
    /// Null and "no value" say that there is none; `seen` false says that the row does not tell.
    case value(ValueTemplate, seen: ValueTemplate?)
  }

  var id: ValueTemplate
  var parent: ValueTemplate?
  var identity: ValueTemplate
  var attempt: AttemptField
  var order: OrderField?
  var state: ValueTemplate
  var states: StateTable
  var cancelled: ValueTemplate?
  var rebuild: ValueTemplate?
  var reason: ValueTemplate?
  var message: ValueTemplate?
  var createdAt: ValueTemplate?
  var startedAt: ValueTemplate?
  var finishedAt: ValueTemplate?
  var template: ValueTemplate?
  var trigger: ValueTemplate?
  var url: ValueTemplate?
  var progressDone: ValueTemplate?
  var progressTotal: ValueTemplate?
  var suspended: ValueTemplate?
  var parameters: ValueTemplate?
  /// A mapping of names to values, or one expression that gives a map.
  var labels: ValueTemplate?
  var scheduledBy: ValueTemplate?
  var schedule: ValueTemplate?
  var lastScheduleTime: ValueTemplate?
  var nextRunTime: ValueTemplate?
  var envelope: FacetField
  var overlay: FacetField
  /// The rows of the steps; nil where this row does not show them.
  var steps: ValueTemplate?
}

/// How one row becomes a ``RunStep``.
struct StepMapping: Sendable {
  var name: ValueTemplate
  var state: ValueTemplate
  var states: StateTable
  var message: ValueTemplate?
  var startedAt: ValueTemplate?
  var finishedAt: ValueTemplate?
}
