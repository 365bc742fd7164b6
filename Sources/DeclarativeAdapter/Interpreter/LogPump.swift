internal import AdapterKit
internal import CEL
internal import JSON
internal import Synchronization

/// Puts a log together out of pages: of all steps, to the end or for as long as the run goes on.
actor LogPump {
  private struct Source {
    var row: CELValue
    var step: String?
    var token: JSONValue = .null
    /// Bytes of a line that has no end yet.
    var rest: [UInt8] = []
    var finished = false
  }

  private let adapter: DeclarativeAdapter
  private let operation: LogOperation
  private let key: RunKey
  private let options: LogOptions
  private let scope: AdapterScope
  private var call: Call
  private var order: [String] = []
  private var sources: [String: Source] = [:]
  private var ready: [[UInt8]] = []
  private var ended = false
  private var rounds = 0
  private let cancelled = Mutex(false)

  init(_ adapter: DeclarativeAdapter, _ operation: LogOperation, _ key: RunKey, _ options: LogOptions, _ scope: AdapterScope, _ call: Call)
  {
    self.adapter = adapter
    self.operation = operation
    self.key = key
    self.options = options
    self.scope = scope
    self.call = call
  }

  nonisolated func cancel() { cancelled.withLock { $0 = true } }

  func prime() async throws(AdapterError) { try await round() }

  func next() async throws(AdapterError) -> [UInt8]? {
    while ready.isEmpty {
      if ended || cancelled.withLock({ $0 }) { return nil }
      do { try await adapter.clock.sleep(operation.interval) } catch { throw AdapterError(.cancelled, "the caller gave up") }
      if cancelled.withLock({ $0 }) { return nil }
      try await round()
    }
    return ready.removeFirst()
  }

  /// Reads everything that is there now.
  private func round() async throws(AdapterError) {
    // Asked before the text is read: what was written up to the end is then in it.
    var over = !options.follow
    if options.follow {
      do throws(AdapterError) {
        if case .present(let core) = try await adapter.get(key, scope: scope).core { over = core.phase.isTerminal }
      } catch {
        if error.code != .notFound || rounds == 0 { throw error }
        over = true
      }
    }
    try await findSources()
    var lines: [[UInt8]] = []
    for id in order {
      guard var source = sources[id], !source.finished else { continue }
      try await read(&source, over: over, into: &lines)
      sources[id] = source
    }
    if rounds == 0, let tail = options.tailLines, lines.count > tail { lines.removeFirst(lines.count - tail) }
    rounds += 1
    ended = over
    if !lines.isEmpty { ready.append(Array(lines.joined())) }
  }

  private func findSources() async throws(AdapterError) {
    guard let description = operation.sources else {
      if sources.isEmpty {
        order = [""]
        sources[""] = Source(row: .null, step: nil)
      }
      return
    }
    var own = call
    guard let answer = try await adapter.runner.run(description.chain, &own) else { return }
    for row in answer.rows ?? [] {
      var variables = own.variables
      variables["source"] = row
      let (id, step) = try adapter.runner.evaluating { () throws(ExpressionFailure) in
        (try description.id.text(variables) ?? "", try description.step?.text(variables))
      }
      if let wanted = options.step, step != wanted { continue }
      if sources[id] == nil {
        order.append(id)
        sources[id] = Source(row: row, step: step)
      }
      sources[id]?.row = row
    }
  }

  private func read(_ source: inout Source, over: Bool, into lines: inout [[UInt8]]) async throws(AdapterError) {
    guard case .pages(let chain, let list, let text, let token, let more) = operation.reading else { return }
    var own = call
    own.variables["source"] = source.row
    let known = own.variables
    let done = try adapter.runner.evaluating { () throws(ExpressionFailure) in try operation.sources?.done?.flag(known) ?? false }
    for _ in 0..<10_000 {
      own.variables["token"] = CELValue(source.token)
      guard let answer = try await adapter.runner.run(chain, &own) else { break }
      var variables = own.variables
      variables["response"] = answer.variable
      let bound = variables
      let (bytes, next, again) = try adapter.runner.evaluating { () throws(ExpressionFailure) in
        (try self.bytes(list, text, bound), try token?.json(bound), try more?.flag(bound) ?? false)
      }
      source.rest += bytes
      cut(&source, into: &lines)
      if let next { source.token = next }
      if !again { break }
    }
    if done || over {
      source.finished = done || over
      if !source.rest.isEmpty {
        source.rest.append(0x0A)
        cut(&source, into: &lines)
      }
    }
  }

  /// A page's text, lines ended. Of lines with times, those before the wanted moment are left out.
  private func bytes(_ list: ValueTemplate?, _ text: ValueTemplate?, _ variables: CELVariables) throws(ExpressionFailure) -> [UInt8] {
    if let text { return Array((try text.text(variables) ?? "").utf8) }
    guard let list else { return [] }
    var out: [UInt8] = []
    for line in try list.rows(variables) {
      var text = line.string ?? ""
      if line.isMap {
        text = line["text"]?.string ?? ""
        if let since = options.since, let time = line["time"]?.string.flatMap({ Timestamp($0) }), time < since { continue }
      }
      out += text.utf8
      if out.last != 0x0A { out.append(0x0A) }
    }
    return out
  }

  /// Moves whole lines out of the rest, with the step's name in front when all steps are read.
  private func cut(_ source: inout Source, into lines: inout [[UInt8]]) {
    var start = 0
    let prefix: [UInt8] =
      options.step == nil && source.step != nil && !operation.engineDoes.contains(.prefix) ? Array("[\(source.step!)] ".utf8) : []
    while let end = source.rest[start...].firstIndex(of: 0x0A) {
      lines.append(prefix + source.rest[start...end])
      start = end + 1
    }
    source.rest.removeFirst(start)
  }
}
