internal import JSON
internal import Logging
internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#endif

/// Drives ``EngineState``: gives it the time and the news of processes, and carries out what it answers. Everything here happens on one
/// event loop.
final class EngineShell {
  let settings: EngineSettings
  let loop: any EventLoop
  let startedAt: Timestamp
  private(set) var state: EngineState
  private(set) var faults = FaultTable()
  /// Base of the links to pages; nil on a unix socket.
  var pages: String?
  let logs: LogStore
  let processes: StepProcesses
  let requestLog: RequestLog
  private let journal: Journal?
  private let workFolder: String
  private let logger: Logger
  private var timer: Scheduled<Void>?
  private var followers: [String: [ObjectIdentifier: LogStream]] = [:]

  /// Reads the data folder and the templates. - Throws: ``FileError``.
  init(settings: EngineSettings, loop: any EventLoop, logger: Logger) throws(FileError) {
    self.settings = settings
    self.loop = loop
    self.logger = logger
    startedAt = Timestamp.now()
    var random = SystemRandomNumberGenerator()
    var state = EngineState(limits: settings.limits, seed: random.next(), now: startedAt)
    workFolder = settings.workFolder
    try Files.makeFolder(workFolder, mode: 0o700)
    journal = if let folder = settings.dataFolder { try Journal(folder: folder) } else { nil }
    try journal?.load(into: &state)
    logs = try LogStore(folder: "\(settings.dataFolder ?? workFolder)/logs", maximumBytes: settings.maximumLogBytes)
    requestLog = try RequestLog(path: settings.requestLog)
    processes = StepProcesses(loop: loop)
    for template in settings.templates { state.put(template) }
    _ = state.takeEffects()
    self.state = state
    faults.set(settings.faults)
  }

  var isDurable: Bool { journal != nil }

  func now() -> Timestamp { Timestamp.now() }

  /// Goes on where an earlier life of the engine stopped.
  func start() { quietTurn { state, now in state.recover(now: now) } }

  /// One input to the state, its effects stored and carried out.
  /// - Throws: what the input was refused with, or 503 where nothing can be stored any more.
  func turn<Value>(_ input: (inout EngineState, Timestamp) throws(EngineError) -> Value) throws(EngineError) -> Value {
    if let failure = journal?.failure { throw Self.storageFailed(failure) }
    let result: Result<Value, EngineError>
    do throws(EngineError) { result = .success(try input(&state, now())) } catch { result = .failure(error) }
    let stored = finishTurn()
    let value = try result.get()
    try stored.get()
    return value
  }

  /// A turn that nobody waits for.
  private func quietTurn(_ input: (inout EngineState, Timestamp) -> Void) {
    input(&state, now())
    if case .failure(let error) = finishTurn() { logger.error("storing failed", metadata: ["error": "\(error.message)"]) }
  }

  private func finishTurn() -> Result<Void, EngineError> {
    let effects = state.takeEffects()
    var stored: Result<Void, EngineError> = .success(())
    if let journal, !effects.changes.isEmpty {
      do throws(FileError) {
        try journal.append(effects.changes.map { JournalRecord.line($0, in: state) }, state: state)
      } catch {
        stored = .failure(Self.storageFailed(error))
      }
    }
    for action in effects.actions { perform(action) }
    for case .job(let id) in effects.changes { wakeFollowers(id) }
    setTimer()
    return stored
  }

  private static func storageFailed(_ error: FileError) -> EngineError {
    EngineError(status: 503, code: "storageFailed", message: "the engine cannot store anything: \(error); restart it when that is mended")
  }

  private func perform(_ action: EngineEffects.Action) {
    switch action {
    case .start(let run): start(run)
    case .signal(let job, .terminate): processes.signal(job, SIGTERM)
    case .signal(let job, .kill): processes.signal(job, SIGKILL)
    case .killLeftovers(let job): ProcessTable.kill(variable: "WORKFLOW_JOB_ID", value: job)
    case .ended(let job):
      logs.close(job: job)
      wakeFollowers(job)
    case .removeFiles(let job):
      processes.signal(job, SIGKILL)
      logs.remove(job: job)
      let folder = folder(of: job)
      // Work directories can be large.
      Task.detached { Files.remove(folder) }
    }
  }

  private func folder(of job: String) -> String { "\(workFolder)/\(job)" }

  private func start(_ run: StepRun) {
    let folder = folder(of: run.job)
    do throws(FileError) { try Files.makeFolder(folder) } catch {
      let shell = NIOLoopBound(self, eventLoop: loop)
      loop.execute { shell.value.ended(run, .notStarted(error.description)) }
      return
    }
    processes.start(run, folder: folder) { [self] event in
      switch event {
      case .output(let buffer):
        logs.append(job: run.job, step: run.step, attempt: run.attempt, buffer.readableBytesView, now: now())
        wakeFollowers(run.job)
      case .ended(let outcome): ended(run, outcome)
      }
    }
  }

  private func ended(_ run: StepRun, _ outcome: StepOutcome) {
    if case .notStarted(let reason) = outcome {
      logs.append(job: run.job, step: run.step, attempt: run.attempt, Array("\(reason)\n".utf8), now: now())
    }
    logs.end(job: run.job, step: run.step, attempt: run.attempt, now: now())
    if state.jobs[run.job] == nil { logs.remove(job: run.job) }
    quietTurn { state, now in state.stepEnded(job: run.job, step: run.step, attempt: run.attempt, outcome: outcome, now: now) }
  }

  // MARK: - Time

  private func setTimer() {
    timer?.cancel()
    timer = nil
    guard let next = state.nextTick else { return }
    // Long waits are cut, so that a clock that was set is noticed.
    let wait = max(0, min((next - now()).inMicroseconds, 60_000_000))
    let shell = NIOLoopBound(self, eventLoop: loop)
    timer = loop.scheduleTask(in: .microseconds(wait + 500)) { shell.value.quietTurn { state, now in state.tick(now: now) } }
  }

  /// Ends what runs; true in the future when no process is left.
  func stop(grace: Duration) { quietTurn { state, now in state.stop(grace: grace, now: now) } }

  /// After ``stop(grace:)``, when no process is left: lets go of the data folder.
  func close() {
    timer?.cancel()
    journal?.close()
  }

  // MARK: - Logs that are followed

  func follow(_ job: String, _ stream: LogStream) { followers[job, default: [:]][ObjectIdentifier(stream)] = stream }

  func unfollow(_ job: String, _ stream: LogStream) {
    followers[job]?[ObjectIdentifier(stream)] = nil
    if followers[job]?.isEmpty == true { followers[job] = nil }
  }

  private func wakeFollowers(_ job: String) {
    guard let streams = followers[job] else { return }
    for stream in streams.values { stream.pump() }
  }

  // MARK: - Faults

  func set(faults new: [Fault]) throws(EngineError) {
    for case .forget(let job) in new.map(\.kind) { try forget(job) }
    faults.set(new.filter { if case .forget = $0.kind { false } else { true } })
  }

  func strike(method: String, path: String, header: [String]) throws(EngineError) -> [Fault.Kind] {
    try faults.strike(method: method, path: path, header: header)
  }

  func forget(_ id: String) throws(EngineError) {
    try turn { (state, _) throws(EngineError) in state.forget(try state.job(id)) }
  }
}
