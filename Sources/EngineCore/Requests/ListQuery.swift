internal import JSON
internal import OrderedCollections

/// The query of a list.
struct ListQuery: Sendable {
  var limit = 100
  var cursor: Cursor?
  var states: Set<JobState> = []
  /// Only jobs that have ended (false) or have not (true).
  var active: Bool?
  var template: String?
  var schedule: String?
  var idempotencyKey: String?
  var labels: OrderedDictionary<String, String> = [:]
  var createdSince: Timestamp?
  /// Only what changed above this number, deletions included, in the order of the changes.
  var changedSince: Int64?
  var newestFirst = false

  /// The place after the last item of a page. It names an item, not a count, so that changes before it shift nothing.
  enum Cursor: Hashable, Sendable {
    case id(String, newestFirst: Bool)
    case seq(Int64)

    var text: String {
      switch self {
      case .id(let id, let newestFirst): (newestFirst ? "n-" : "o-") + id
      case .seq(let seq): "s-\(seq)"
      }
    }

    init?(_ text: String) {
      let rest = String(text.dropFirst(2))
      guard !rest.isEmpty else { return nil }
      switch text.prefix(2) {
      case "o-": self = .id(rest, newestFirst: false)
      case "n-": self = .id(rest, newestFirst: true)
      case "s-":
        guard let seq = Int64(rest) else { return nil }
        self = .seq(seq)
      default: return nil
      }
    }
  }

  init() {}

  /// - Throws: 422 with the parameter's name.
  init(_ target: RequestTarget) throws(EngineError) {
    for (name, value) in target.query {
      switch name {
      case "limit":
        guard let number = Int(value), number > 0 else { throw .invalid(name, "must be a whole number above 0") }
        limit = min(number, 1000)
      case "cursor":
        guard let position = Cursor(value) else { throw .badCursor }
        cursor = position
      case "state":
        for word in value.split(separator: ",") {
          guard let state = JobState(rawValue: String(word)) else {
            throw .invalid(name, "\"\(word)\" is none of \(JobState.allCases.map(\.rawValue).joined(separator: ", "))")
          }
          states.insert(state)
        }
      case "active":
        guard let flag = Bool(value) else { throw .invalid(name, "must be true or false") }
        active = flag
      case "template": template = value
      case "schedule": schedule = value
      case "idempotencyKey": idempotencyKey = value
      case "label":
        guard let equals = value.firstIndex(of: "=") else { throw .invalid(name, "must be key=value") }
        labels[String(value[..<equals])] = String(value[value.index(after: equals)...])
      case "createdSince":
        guard let moment = Timestamp(value) else { throw .invalid(name, "must be RFC 3339") }
        createdSince = moment
      case "changedSince":
        guard let number = Int64(value), number >= 0 else { throw .invalid(name, "must be a sequence number") }
        changedSince = number
      case "order":
        switch value {
        case "oldest": newestFirst = false
        case "newest": newestFirst = true
        default: throw .invalid(name, "must be oldest or newest")
        }
      default: throw .invalid(name, "is no parameter of this list")
      }
    }
  }
}
