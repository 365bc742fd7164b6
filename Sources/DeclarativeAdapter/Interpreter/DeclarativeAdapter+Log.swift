package import AdapterKit
internal import CEL
internal import JSON

extension DeclarativeAdapter: LogReading {
  package func log(_ key: RunKey, _ options: LogOptions, scope: AdapterScope) async throws(AdapterError) -> LogStream {
    guard let operation = file.log else { throw unsupported("log") }
    try refuse(options, operation)
    var call = try await call(key, scope)
    call.variables["log"] = .object([
      "follow": .bool(options.follow), "step": options.step.map { .string($0) } ?? .null,
      "tailLines": options.tailLines.map { .int(Int64($0)) } ?? .null, "since": options.since.map { .string($0.description) } ?? .null,
    ])
    switch operation.reading {
    case .stream(let template):
      call.variables["source"] = .null
      call.variables["token"] = .null
      let stream = try await runner.stream(template, &call)
      let (runner, redactor) = (runner, redactor)
      return LogStream(
        next: { () async throws(AdapterError) in
          do throws(TransportError) { return try await stream.next() } catch {
            var error = runner.adapterError(error, template)
            error.message = redactor.redact(error.message)
            throw error
          }
        }, cancel: stream.cancel)
    case .pages:
      let pump = LogPump(self, operation, key, options, scope, call)
      // The first piece is read at once, so that a run without a log is an error and no empty text.
      try await pump.prime()
      return LogStream(next: { () async throws(AdapterError) in try await pump.next() }, cancel: { pump.cancel() })
    }
  }

  /// What neither the engine nor this interpreter can do is refused, never left out in silence.
  private func refuse(_ options: LogOptions, _ operation: LogOperation) throws(AdapterError) {
    let passedThrough = if case .stream = operation.reading { true } else { false }
    let asked: [(option: LogOperation.Option, asked: Bool, doneHere: Bool)] = [
      (.step, options.step != nil, !passedThrough && operation.sources != nil), (.tailLines, options.tailLines != nil, !passedThrough),
      (.since, options.since != nil, !passedThrough), (.follow, options.follow, !passedThrough),
    ]
    for (option, asked, doneHere) in asked where asked && !doneHere && !operation.engineDoes.contains(option) {
      throw AdapterError(.unsupported, "the log of \(file.engine) cannot be read with \(option.rawValue)", field: option.rawValue)
    }
  }
}
