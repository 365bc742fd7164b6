internal import NIOCore
internal import NIOPosix
internal import OrderedCollections
internal import Subprocess
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#endif

/// The processes of running steps, each the leader of a process group. Belongs to the engine's event loop, where everything it reports
/// arrives; only waiting for a process happens elsewhere.
final class StepProcesses {
  /// What is told about a step's process, in the order of events.
  enum Event {
    case output(ByteBuffer)
    case ended(StepOutcome)
  }

  private struct Running {
    var group: pid_t?
    var wanted: Int32?
  }

  private let loop: any EventLoop
  private let environment: [String: String]
  private var running: [String: Running] = [:]

  init(loop: any EventLoop) {
    self.loop = loop
    environment = Self.cleanEnvironment()
  }

  /// How many steps have a process or are about to get one.
  var count: Int { running.count }

  /// Starts a step in `folder`. `report` is called on the event loop, last with `ended`.
  func start(_ run: StepRun, folder: String, report: @escaping (Event) -> Void) {
    running[run.job] = Running()
    var environment = environment
    for (name, value) in run.command.environment { environment[name] = value }
    let program = run.command.arguments[0]
    let found = ExecutableLookup.find(program, path: environment["PATH"] ?? "", folder: folder)
    guard case .success(let executable) = found else {
      if case .failure(let missing) = found { refuse(run, missing.reason, report) }
      return
    }
    // Closed on exec, or another step that starts at this moment would hold it open.
    let pipe: (readEnd: SystemPackage.FileDescriptor, writeEnd: SystemPackage.FileDescriptor)
    do { pipe = try SystemPackage.FileDescriptor.pipe(options: .closeOnExec) } catch {
      refuse(run, "no pipe for its output: \(error)", report)
      return
    }
    let report = NIOLoopBound(report, eventLoop: loop)
    let owner = NIOLoopBound(self, eventLoop: loop)
    let drained = loop.makePromise(of: Void.self)
    let started = ProcessStart(
      job: run.job, executable: executable, arguments: run.command.arguments, environment: environment, folder: folder,
      output: pipe.writeEnd)
    NIOPipeBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            StepOutputHandler(drained: drained) { report.value(.output($0)) })
        }
      }
      .takingOwnershipOfDescriptor(input: pipe.readEnd.rawValue)
      .whenComplete { [loop] result in
        guard case .success(let channel) = result else {
          try? pipe.readEnd.close()
          try? pipe.writeEnd.close()
          drained.succeed()
          owner.value.running[run.job] = nil
          report.value(.ended(.notStarted("its output cannot be read")))
          return
        }
        Task {
          let outcome = await started.run { group in loop.execute { owner.value.groupStarted(group, job: run.job) } }
          loop.execute {
            // Everything that could still write is dead; what is in the pipe comes before its end.
            let late = loop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
            drained.futureResult.whenComplete { _ in
              late.cancel()
              owner.value.running[run.job] = nil
              report.value(.ended(outcome))
            }
          }
        }
      }
  }

  /// To the whole group of the job's running step.
  func signal(_ job: String, _ signal: Int32) {
    guard let group = running[job]?.group else {
      running[job]?.wanted = signal
      return
    }
    kill(-group, signal)
  }

  func signalAll(_ signal: Int32) { for job in running.keys { self.signal(job, signal) } }

  private func groupStarted(_ group: pid_t, job: String) {
    guard running[job] != nil else { return }
    running[job]?.group = group
    if let wanted = running[job]?.wanted { kill(-group, wanted) }
  }

  private func refuse(_ run: StepRun, _ reason: String, _ report: @escaping (Event) -> Void) {
    let owner = NIOLoopBound(self, eventLoop: loop)
    let report = NIOLoopBound(report, eventLoop: loop)
    loop.execute {
      owner.value.running[run.job] = nil
      report.value(.ended(.notStarted(reason)))
    }
  }

  /// What every step gets: little, and nothing that the engine was given for itself.
  private static func cleanEnvironment() -> [String: String] {
    var environment = ["CI": "true", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
    for name in ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"] {
      if let value = getenv(name) { environment[name] = String(cString: value) }
    }
    return environment
  }
}

/// One process from start to end, off the event loop.
private struct ProcessStart: Sendable {
  var job: String
  var executable: String
  var arguments: [String]
  var environment: [String: String]
  var folder: String
  /// The pipe's writing end; closed once the process has it.
  var output: SystemPackage.FileDescriptor

  func run(started: @escaping @Sendable (pid_t) -> Void) async -> StepOutcome {
    var options = PlatformOptions()
    // Zero: a group of its own, with the process's id.
    options.processGroupID = 0
    var variables: [Environment.Key: String] = [:]
    for (name, value) in environment { if let key = Environment.Key(rawValue: name) { variables[key] = value } }
    let outcome: StepOutcome
    do {
      let result = try await Subprocess.run(
        .path(FilePath(executable)),
        arguments: Arguments(executablePathOverride: arguments[0], remainingValues: Array(arguments.dropFirst())),
        environment: .custom(variables), workingDirectory: FilePath(folder), platformOptions: options, input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: true), error: .combinedWithOutput
      ) { execution in
        started(execution.processIdentifier.value)
        return execution.processIdentifier.value
      }
      // A step's background processes end with it, as do those that left its group.
      kill(-result.closureResult, SIGKILL)
      switch result.terminationStatus {
      case .exited(let code): outcome = .exited(Int(code))
      case .signaled(let signal): outcome = .signalled(Int(signal))
      }
    } catch let error as SubprocessError {
      outcome = .notStarted("cannot start \(arguments[0]): \(error.underlyingError.map { "\($0)" } ?? error.description)")
    } catch {
      outcome = .notStarted("cannot start \(arguments[0])")
    }
    ProcessTable.kill(variable: "WORKFLOW_JOB_ID", value: job)
    return outcome
  }
}

/// Passes a step's output on, and says when there is no more.
private final class StepOutputHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let drained: EventLoopPromise<Void>
  private let receive: (ByteBuffer) -> Void

  init(drained: EventLoopPromise<Void>, receive: @escaping (ByteBuffer) -> Void) {
    self.drained = drained
    self.receive = receive
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(unwrapInboundIn(data)) }

  func channelInactive(context: ChannelHandlerContext) { drained.succeed() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
