package import AdapterKit
package import JSON
import Synchronization

extension InMemoryAdapter: Cancelling, Deleting, Retrying, Suspending, StateSetting {
  package func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await call(.cancel, isWrite: true) { engine, now throws(AdapterError) in
      if try engine.run(key).core.phase.isTerminal { throw AdapterError(.conflict, "\(key) has ended already", status: 409) }
      return engine.observation(
        try engine.change(key) { $0.end(.failed, "cancelled", reason: "Cancelled", message: reason, now: now) }, whole: true)
    }
  }

  package func delete(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) {
    try await call(.delete, isWrite: true) { engine, _ throws(AdapterError) in
      let run = try engine.run(key)
      guard run.isSchedule || run.core.phase.isTerminal else { throw AdapterError(.conflict, "\(key) is active", status: 409) }
      try engine.remove(key)
    }
  }

  package func retry(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await call(.retry, isWrite: true) { engine, _ throws(AdapterError) in
      guard try engine.run(key).core.phase.isTerminal else { throw AdapterError(.conflict, "\(key) is active", status: 409) }
      let run = try engine.change(key) { run in
        run.attempt += 1
        run.core.phase = .pending
        run.core.rawState = "queued"
        (run.core.reason, run.core.message, run.core.startedAt, run.core.finishedAt) = (nil, nil, nil, nil)
        run.steps = run.steps.map { RunStep(name: $0.name, phase: .pending, rawState: "queued") }
        run.count()
      }
      return engine.observation(run, whole: true)
    }
  }

  package func setSuspended(_ suspended: Bool, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await call(.suspend, isWrite: true) { engine, _ throws(AdapterError) in
      let core = try engine.run(key).core
      if core.phase.isTerminal { throw AdapterError(.conflict, "\(key) has ended already", status: 409) }
      let run = try engine.change(key) { run in
        run.core.suspended = suspended
        run.core.reason = suspended ? "Suspended" : run.isSchedule ? "Scheduled" : nil
      }
      return engine.observation(run, whole: true)
    }
  }

  package func setState(_ phase: RunPhase, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await call(.setState, isWrite: true) { engine, now throws(AdapterError) in
      let core = try engine.run(key).core
      if core.phase.isTerminal && !phase.isTerminal { throw AdapterError(.conflict, "\(key) has ended already", status: 409) }
      let run = try engine.change(key) { run in
        switch phase {
        case .succeeded: run.end(phase, "succeeded", now: now)
        case .failed: run.end(phase, "failed", now: now)
        case .running, .pending:
          run.core.phase = phase
          run.core.rawState = phase == .running ? "running" : "queued"
          if phase == .running { run.core.startedAt = run.core.startedAt ?? now }
        }
      }
      return engine.observation(run, whole: true)
    }
  }
}

extension InMemoryAdapter: OverlayKeeping {
  package var overlayLimit: Int { options.overlayLimit }
  package var overlayComesWithRuns: Bool { options.overlayComesWithRuns }

  package func setOverlay(_ overlay: JSONValue?, of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) {
    try await call(.setOverlay, isWrite: true) { engine, _ throws(AdapterError) in
      if let size = overlay?.encoded.count, size > options.overlayLimit {
        throw AdapterError(.invalid, "the overlay has \(size) bytes, more than \(options.overlayLimit)", field: "overlay", status: 422)
      }
      try engine.change(key) { run in
        run.overlay = overlay
        run.uid = run.uid ?? uid
      }
    }
  }

  package func overlay(of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) -> JSONValue? {
    try await call(.overlay) { engine, _ throws(AdapterError) in try engine.run(key).overlay }
  }

  package func overlays(scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> OverlayPage {
    try await call(.overlays) { engine, _ in
      let after = cursor?.int ?? 0
      let rows = engine.visible(scope).filter { $0.number > after && $0.overlay != nil && $0.uid != nil }
      let page = rows.prefix(options.pageSize)
      return OverlayPage(
        overlays: Dictionary(page.map { ($0.uid!, $0.overlay!) }, uniquingKeysWith: { first, _ in first }),
        next: rows.count > page.count ? page.last.map { .int($0.number) } : nil)
    }
  }
}

extension InMemoryAdapter: IncrementalListing, Templating {
  package func changes(_ scope: AdapterScope, since mark: JSONValue?, now: Timestamp) async throws(AdapterError) -> ChangePage {
    try await call(.changes) { engine, _ throws(AdapterError) in try engine.changes(scope, since: mark) }
  }

  package func templates(_ scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> TemplatePage {
    try await call(.templates) { engine, _ in TemplatePage(templates: engine.templates) }
  }
}

extension InMemoryAdapter: LogReading {
  /// The in-memory log knows no steps and no times: `step` filters lines that begin with `[step] `, `since` is not looked at.
  package func log(_ key: RunKey, _ options: LogOptions, scope: AdapterScope) async throws(AdapterError) -> LogStream {
    _ = try await call(.log) { engine, _ throws(AdapterError) in try engine.run(key).log.count }
    let reader = InMemoryLogReader(adapter: self, key: key, options: options)
    return LogStream(next: { () async throws(AdapterError) in try await reader.next() }, cancel: { reader.cancel() })
  }
}

/// Where one reader of a log is.
private final class InMemoryLogReader: Sendable {
  private struct Position {
    var offset = 0
    var began = false
    var cancelled = false
  }
  private let adapter: InMemoryAdapter
  private let key: RunKey
  private let options: LogOptions
  private let position = Mutex(Position())

  init(adapter: InMemoryAdapter, key: RunKey, options: LogOptions) {
    self.adapter = adapter
    self.key = key
    self.options = options
  }

  func cancel() {
    position.withLock { $0.cancelled = true }
    adapter.wake()
  }

  func next() async throws(AdapterError) -> [UInt8]? {
    while true {
      let before = position.withLock { $0 }
      if before.cancelled || Task.isCancelled { throw AdapterError(.cancelled, "the caller gave up") }
      let run = adapter.state.withLock { $0.engine.runs[key] }
      guard let run else { return nil }
      if run.log.count > before.offset {
        position.withLock { position in
          position.offset = run.log.count
          position.began = true
        }
        let piece = filtered(Array(run.log[before.offset...]), first: !before.began)
        if !piece.isEmpty { return piece }
        continue
      }
      if !options.follow || run.core.phase.isTerminal { return nil }
      await adapter.sleep { state in
        !position.withLock { $0.cancelled }
          && state.engine.runs[key].map { $0.log.count == before.offset && !$0.core.phase.isTerminal } ?? false
      }
    }
  }

  private func filtered(_ bytes: [UInt8], first: Bool) -> [UInt8] {
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let ended = lines.last == ""
    if ended { lines.removeLast() }
    if let step = options.step {
      let mark = "[\(step)] "
      lines = lines.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    }
    if first, let tail = options.tailLines { lines = lines.suffix(tail) }
    return lines.isEmpty ? [] : Array((lines.joined(separator: "\n") + (ended ? "\n" : "")).utf8)
  }
}
