internal import JSON
internal import OrderedCollections

extension EngineState {
  /// One page of jobs or schedules.
  struct Page<Object: Sendable>: Sendable {
    enum Item: Sendable {
      case object(Object)
      case deleted(id: String, seq: Int64, at: Timestamp?)
    }

    var items: [Item] = []
    var nextCursor: String?
    var latestSeq: Int64
    /// Only where changes were asked for: whether every deletion since then is among the items.
    var deletionsComplete: Bool?
    var coveredFrom: Int64
  }

  func listJobs(_ query: ListQuery) throws(EngineError) -> Page<Job> {
    try list(jobs, query, seq: \.seq) { job in
      (query.states.isEmpty || query.states.contains(job.state)) && (query.template == nil || query.template == job.template)
        && (query.schedule == nil || query.schedule == job.schedule)
        && query.labels.allSatisfy { job.attachments.labels[$0.key] == $0.value }
        && (query.idempotencyKey == nil || query.idempotencyKey == job.idempotencyKey)
        && (query.createdSince.map { job.createdAt >= $0 } ?? true)
        && (query.active.map { $0 != job.state.isFinal } ?? true)
    }
  }

  func listSchedules(_ query: ListQuery) throws(EngineError) -> Page<Schedule> {
    try list(schedules, query, seq: \.seq) { schedule in
      (query.template == nil || query.template == schedule.template)
        && query.labels.allSatisfy { schedule.attachments.labels[$0.key] == $0.value }
        && (query.idempotencyKey == nil || query.idempotencyKey == schedule.idempotencyKey)
        && (query.createdSince.map { schedule.createdAt >= $0 } ?? true)
    }
  }

  private func list<Object>(
    _ store: ObjectStore<Object>, _ query: ListQuery, seq numberOf: (Object) -> Int64, matches: (Object) -> Bool
  ) throws(EngineError) -> Page<Object> {
    var page = Page<Object>(latestSeq: seq, coveredFrom: store.coveredFrom)
    if let since = query.changedSince {
      guard since <= seq else {
        throw EngineError(
          status: 410, code: "unknownSeq", message: "changedSince: \(since) is above this engine's latest \(seq): list everything anew",
          field: "changedSince")
      }
      var last = since
      if let cursor = query.cursor {
        guard case .seq(let position) = cursor else { throw .badCursor }
        last = max(last, position)
      }
      page.deletionsComplete = since >= store.coveredFrom
      let deletions = Dictionary(store.tombstones.map { ($0.seq, $0.deletedAt) }) { first, _ in first }
      for entry in store.changes.after(last) {
        let object = store[entry.id]
        if let object, !matches(object) { continue }
        if page.items.count == query.limit {
          page.nextCursor = ListQuery.Cursor.seq(last).text
          break
        }
        page.items.append(object.map { .object($0) } ?? .deleted(id: entry.id, seq: entry.seq, at: deletions[entry.seq]))
        last = entry.seq
      }
      return page
    }
    var last: String?
    if let cursor = query.cursor {
      guard case .id(let position, newestFirst: query.newestFirst) = cursor else { throw .badCursor }
      last = position
    }
    func take(_ ids: some Sequence<String>) {
      for id in ids {
        guard let object = store[id], matches(object) else { continue }
        if page.items.count == query.limit {
          page.nextCursor = last.map { ListQuery.Cursor.id($0, newestFirst: query.newestFirst).text }
          break
        }
        page.items.append(.object(object))
        last = id
      }
    }
    if query.newestFirst { take(store.ids(before: last)) } else { take(store.ids(after: last)) }
    return page
  }
}

extension EngineError {
  static var badCursor: EngineError {
    EngineError(status: 422, code: "badCursor", message: "cursor: not one that this list gave", field: "cursor")
  }
}
