package import AdapterKit
internal import CEL
package import JSON
internal import OrderedCollections

extension DeclarativeAdapter: IncrementalListing {
  /// The mark of all: `{"runs": …, "schedules": …}`, and in the middle of a list of several pages also where it goes on.
  package func changes(_ scope: AdapterScope, since mark: JSONValue?, now: Timestamp) async throws(AdapterError) -> ChangePage {
    var page = ChangePage(observations: [], mark: mark ?? .emptyObject)
    var call = try await call(scope)
    call.variables["now"] = .string(now.description)
    let blocks = [(name: "runs", kind: RunKey.Kind.run, block: file.runs)] + (file.schedules.map { [("schedules", .schedule, $0)] } ?? [])
    let resumed = mark?["in"]?.string
    var reached = resumed == nil
    for (name, kind, block) in blocks {
      if !reached, name != resumed { continue }
      reached = true
      guard let operation = block.changes else {
        // Few, and without a feed of their own: they are all read each time.
        try await appendAll(block, kind, &call, to: &page)
        continue
      }
      if try await append(operation, name, kind, &call, to: &page) { return page }
    }
    return page
  }

  /// - Returns: true when there is another page at once.
  private func append(
    _ operation: ChangesOperation, _ name: String, _ kind: RunKey.Kind, _ call: inout Call, to page: inout ChangePage
  ) async throws(AdapterError) -> Bool {
    let known = page.mark[name] ?? .null
    if known.isNull, let start = operation.start {
      let answer = try await runner.run(start.chain, &call)
      let variables = call.variables
      if answer != nil {
        page.mark[name] = try runner.evaluating { () throws(ExpressionFailure) in try start.mark.json(variables) ?? .null }
      }
      return false
    }
    let resumed = page.mark["in"]?.string == name
    var next: JSONValue? = resumed ? page.mark["next"] : .none
    let state = PageState(resumed ? page.mark["page"] : nil)
    page.mark["in"] = nil
    page.mark["page"] = nil
    page.mark["next"] = nil
    call.variables["mark"] = CELValue(known)
    let (rows, following) = try await self.page(operation.list, kind, &call, state)
    page.observations += rows.observations
    // A change that cannot be understood must come again in a full sweep, which reports it.
    if !rows.unreadable.isEmpty { page.complete = false }
    let variables = call.variables
    if let deleted = operation.deleted {
      let (block, mapper) = try self.block(kind)
      for row in try runner.evaluating({ () throws(ExpressionFailure) in try deleted.rows(variables) }) {
        var variables = variables
        variables["row"] = row
        let mapping = operation.list.mapping ?? block.mapping
        page.deleted.append(try runner.evaluating { () throws(ExpressionFailure) in try mapper.key(mapping, variables) })
      }
    }
    if let complete = operation.complete, try !runner.evaluating({ () throws(ExpressionFailure) in try complete.flag(variables) }) {
      page.complete = false
    }
    let isFirst = if case .none = next { true } else { false }
    if isFirst || operation.markOfLastPage {
      next = try runner.evaluating { () throws(ExpressionFailure) in try operation.mark.json(variables) } ?? .null
    }
    if let following {
      page.mark["in"] = .string(name)
      page.mark["page"] = following.json
      page.mark["next"] = next
      page.more = true
      return true
    }
    page.mark[name] = next
    return false
  }

  private func appendAll(_ block: RunBlock, _ kind: RunKey.Kind, _ call: inout Call, to page: inout ChangePage) async throws(AdapterError) {
    call.variables["since"] = .null
    for list in block.list {
      var state: PageState? = PageState()
      while let current = state {
        let (rows, next) = try await self.page(list, kind, &call, current)
        page.observations += rows.observations
        state = next
      }
    }
  }
}
