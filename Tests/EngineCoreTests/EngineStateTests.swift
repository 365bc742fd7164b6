import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct EngineStateTests {
  @Test func stepsRunOneAfterAnotherUntilAllSucceeded() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"])
    #expect(job.state == .running && job.startedAt == job.createdAt)
    #expect(job.steps.map(\.state) == [.running, .pending])
    history.end(job.id)
    #expect(history[job.id].steps.map(\.state) == [.succeeded, .running])
    #expect(history[job.id].progress.done == 1)
    history.end(job.id)
    #expect(history[job.id].state == .succeeded)
    #expect(history[job.id].finishedAt == history.now)
    #expect(history.actions.contains(.ended(job: job.id)))
  }

  @Test func aFailedStepEndsTheJobAndSkipsTheRest() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"])
    history.end(job.id, .exited(3))
    let ended = history[job.id]
    #expect(ended.state == .failed && ended.message == "step a: exit code 3")
    #expect(ended.steps.map(\.state) == [.failed, .skipped] && ended.steps[0].exitCode == 3)
  }

  @Test(arguments: [
    (StepOutcome.signalled(9), "step a: ended by signal 9 (SIGKILL)", Int?.some(137)),
    (.notStarted("command not found: go"), "step a: command not found: go", Int?.none),
  ]) func aFailureIsNamed(_ outcome: StepOutcome, _ message: String, _ exitCode: Int?) throws {
    var history = History()
    let job = try history.job()
    history.end(job.id, outcome)
    #expect(history[job.id].message == message)
    #expect(history[job.id].steps[0].exitCode == exitCode)
  }

  @Test func imagesAreAcceptedAndSaidToBeIgnored() throws {
    var history = History()
    let created = try history.create(
      #"{"steps":[{"name":"a","image":"golang:1.21","command":["true"]},{"name":"b","image":"golang:1.21","args":["x"]}]}"#)
    guard case .job(let job, isNew: true) = created else {
      Issue.record("no job")
      return
    }
    #expect(job.warnings == ["image golang:1.21 ignored: this engine runs steps as local processes"])
    var writer = ObjectWriter(.client(clockSkew: 0, pages: nil))
    writer.job(job)
    #expect(try JSONValue(parsing: writer.json.bytes)["message"] == .string(job.warnings[0]))
  }

  @Test func jobsWaitForASlotInTheirOrder() throws {
    var limits = EngineState.Limits()
    limits.parallelJobs = 1
    var history = History(limits: limits)
    let jobs = try (0..<3).map { _ in try history.job().id }
    #expect(jobs.map { history[$0].state } == [.running, .queued, .queued])
    history.end(jobs[0])
    #expect(jobs.map { history[$0].state } == [.succeeded, .running, .queued])
    #expect(history[jobs[1]].startedAt == history.now)
    _ = try history.turn { state, now in try state.cancel(jobs[2], reason: nil, grace: nil, now: now) }
    history.end(jobs[1])
    #expect(jobs.map { history[$0].state } == [.succeeded, .succeeded, .cancelled])
    #expect(history.started == [jobs[0], jobs[1]])
  }

  @Test func cancelTerminatesThenKills() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"]).id
    let cancelling = try history.turn { state, now in try state.cancel(job, reason: "wrong branch", grace: .seconds(2), now: now) }
    #expect(cancelling.state == .running && cancelling.ending == .cancelled)
    #expect(history.signals(job) == [.terminate])
    history.pass(.seconds(1))
    #expect(history.signals(job) == [.terminate])
    history.pass(.seconds(1))
    #expect(history.signals(job) == [.terminate, .kill])
    history.end(job, .signalled(9))
    #expect(history[job].state == .cancelled && history[job].message == "cancelled: wrong branch")
    #expect(history[job].steps.map(\.state) == [.cancelled, .skipped])
    let again = try history.turn { state, now in try state.cancel(job, reason: nil, grace: nil, now: now) }
    #expect(again.revision == history[job].revision)
  }

  @Test func aStepThatEndsWellAfterACancelKeepsItsSuccess() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"]).id
    _ = try history.turn { state, now in try state.cancel(job, reason: nil, grace: nil, now: now) }
    history.end(job)
    #expect(history[job].state == .cancelled)
    #expect(history[job].steps.map(\.state) == [.succeeded, .skipped])
  }

  @Test func cancelOfWhatEndedOtherwiseIsRefused() throws {
    var history = History()
    let job = try history.job().id
    history.end(job)
    #expect(
      refusal { _ = try history.turn { state, now in try state.cancel(job, reason: nil, grace: nil, now: now) } }?.code == "alreadyFinished"
    )
  }

  @Test func aTimeoutEndsTheJobByItsName() throws {
    var history = History()
    let job = try history.job(steps: ["a"], "\"timeout\":60").id
    #expect(history.state.nextTick == history[job].startedAt! + .seconds(60))
    history.pass(.seconds(60))
    #expect(history.signals(job) == [.terminate])
    // A cancel during the end doesn't turn a timeout into a cancellation.
    _ = try history.turn { state, now in try state.cancel(job, reason: nil, grace: nil, now: now) }
    history.end(job, .signalled(15))
    #expect(history[job].state == .timedOut && history[job].message == "timed out after 60 s")
    #expect(history[job].steps[0].state == .timedOut)
    #expect(history.state.nextTick == nil)
  }

  @Test func aSuspendedJobTimesOutWithoutAProcess() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"], "\"timeout\":60").id
    _ = try history.turn { state, _ in try state.suspend(job) }
    #expect(history[job].state == .running)
    history.end(job)
    #expect(history[job].state == .suspended && history[job].runningStep == nil)
    history.pass(.seconds(61))
    #expect(history[job].state == .timedOut)
  }

  @Test func retryRunsOnlyWhatDidNotSucceed() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b", "c"]).id
    history.end(job)
    history.end(job, .exited(1))
    let retried = try history.turn { state, now in try state.retry(job, now: now) }
    #expect(retried.attempt == 2 && retried.state == .running && retried.message == nil && retried.trigger == .api)
    #expect(retried.steps.map(\.state) == [.succeeded, .running, .pending])
    #expect(retried.steps.map(\.attempt) == [1, 2, 0])
    #expect(retried.finishedAt == nil && retried.startedAt == history.now)
    history.end(job)
    history.end(job)
    #expect(history[job].state == .succeeded)
    #expect(refusal { _ = try history.turn { state, now in try state.retry(job, now: now) } }?.code == "nothingToRetry")
  }

  @Test func lateNewsOfAnEarlierAttemptIsDropped() throws {
    var history = History()
    let job = try history.job().id
    history.end(job, .exited(1))
    _ = try history.turn { state, now in try state.retry(job, now: now) }
    history.turn { state, now in state.stepEnded(job: job, step: 0, attempt: 1, outcome: .exited(0), now: now) }
    #expect(history[job].state == .running)
  }

  @Test func suspendAndResume() throws {
    var history = History()
    let job = try history.job(steps: ["a"], "\"suspended\":true").id
    #expect(history[job].state == .suspended && history.started.isEmpty)
    _ = try history.turn { state, now in try state.resume(job, now: now) }
    #expect(history[job].state == .running && history.started == [job])
    let revision = history[job].revision
    _ = try history.turn { state, now in try state.resume(job, now: now) }
    #expect(history[job].revision == revision)
  }

  @Test func anOperatorSetsTheState() throws {
    var history = History()
    let job = try history.job(steps: ["a", "b"]).id
    let set = try history.turn { state, now in try state.setState(job, to: .succeeded, message: nil, now: now) }
    #expect(set.state == .succeeded && set.steps.map(\.state) == [.succeeded, .skipped])
    #expect(history.signals(job) == [.terminate])
    // The process still ends: until then the job can be neither deleted nor retried.
    #expect(refusal { _ = try history.turn { state, now in try state.delete(job, now: now) } }?.code == "stillEnding")
    history.pass(.seconds(6))
    #expect(history.signals(job) == [.terminate, .kill])
    history.end(job, .signalled(9))
    #expect(history[job].state == .succeeded)
    _ = try history.turn { state, now in try state.setState(job, to: .failed, message: "wrong result", now: now) }
    #expect(history[job].state == .failed && history[job].message == "wrong result")
    #expect(
      refusal { _ = try history.turn { state, now in try state.setState(job, to: .running, message: nil, now: now) } }?.code
        == "alreadyFinished")
    #expect(
      refusal { _ = try history.turn { state, now in try state.setState(job, to: .queued, message: nil, now: now) } }?.field == "state")
  }

  @Test func anOperatorStartsAJobThatWaits() throws {
    var limits = EngineState.Limits()
    limits.parallelJobs = 1
    var history = History(limits: limits)
    let first = try history.job().id
    let second = try history.job().id
    #expect(history[second].state == .queued)
    let started = try history.turn { state, now in try state.setState(second, to: .running, message: nil, now: now) }
    #expect(started.state == .running && started.startedAt == history.now && history.started == [first, second])
    _ = try history.turn { state, now in try state.setState(second, to: .running, message: nil, now: now) }
    #expect(history.started == [first, second])
    let held = try history.job(steps: ["a"], "\"suspended\":true").id
    _ = try history.turn { state, now in try state.setState(held, to: .running, message: nil, now: now) }
    #expect(history[held].state == .running && !history[held].suspended)
    history.end(first)
    history.end(second)
    history.end(held)
    #expect([first, second, held].allSatisfy { history[$0].state == .succeeded })
  }

  @Test func deleteLeavesATombstoneAndFreesTheKey() throws {
    var history = History()
    let job = try history.job(steps: ["a"], "\"idempotencyKey\":\"k\"").id
    #expect(refusal { _ = try history.turn { state, now in try state.delete(job, now: now) } }?.code == "running")
    history.end(job)
    _ = try history.turn { state, now in try state.delete(job, now: now) }
    #expect(history.actions.contains(.removeFiles(job: job)))
    #expect(refusal { _ = try history.state.job(job) }?.status == 404)
    #expect(try history.job(steps: ["a"], "\"idempotencyKey\":\"k\"").id != job)
  }

  @Test func theSameKeyWithTheSameBodyIsTheSameJob() throws {
    var history = History()
    let body = #"{"steps":[{"name":"a","command":["true"]}],"idempotencyKey":"k","labels":{"a":"1","b":"2"}}"#
    let reordered = #"{ "idempotencyKey": "k", "labels":{"b":"2","a":"1"}, "steps":[{"command":["true"],"name":"a"}]}"#
    guard case .job(let first, isNew: true) = try history.create(body), case .job(let second, isNew: false) = try history.create(reordered)
    else {
      Issue.record("not told apart")
      return
    }
    #expect(first.id == second.id && history.state.jobs.count == 1)
    let other = refusal { try history.create(#"{"steps":[{"name":"b","command":["true"]}],"idempotencyKey":"k"}"#) }
    #expect(other?.status == 409 && other?.code == "idempotencyKeyInUse" && other?.field == "idempotencyKey")
  }

  @Test func aRerunIsANewJobWithTheEnvelopeOfTheOld() throws {
    var history = History()
    let job = try history.job(steps: ["a"], #""idempotencyKey":"k","envelope":{"uid": "1"},"overlay":{}"#)
    let copy = try history.turn { state, now in try state.rerun(job.id, now: now) }
    #expect(copy.id > job.id && copy.trigger == .rerun && copy.rerunOf == job.id)
    #expect(copy.attachments.envelope == job.attachments.envelope && copy.attachments.overlay == nil && copy.idempotencyKey == nil)
  }

  @Test func patchMergesMapsAndReplacesTheOverlay() throws {
    var history = History()
    let job = try history.job(steps: ["a"], #""labels":{"a":"1","b":"2"},"overlay":{"x":1}"#)
    let patch = try ObjectPatch(JSONDocument(#"{"labels":{"a":null,"c":"3"},"overlay":{"y": 1.0},"ifRevision":2}"#).root)
    let patched = try history.turn { state, _ in try state.patch(job.id, patch) }
    #expect(patched.attachments.labels == ["b": "2", "c": "3"])
    #expect(patched.attachments.overlay.map { String(decoding: $0.bytes, as: UTF8.self) } == #"{"y": 1.0}"#)
    #expect(patched.revision == 3 && patched.seq > job.seq)
    #expect(refusal { _ = try history.turn { state, _ in try state.patch(job.id, patch) } }?.code == "revisionMismatch")
    let removal = try ObjectPatch(JSONDocument(#"{"overlay":null}"#).root)
    #expect(try history.turn { state, _ in try state.patch(job.id, removal) }.attachments.overlay == nil)
  }

  @Test func aPatchThatChangesNothingIsNoChange() throws {
    var history = History()
    let job = try history.job(steps: ["a"], #""labels":{"a":"1"}"#)
    let patch = try ObjectPatch(JSONDocument(#"{"labels":{"a":"1","z":null}}"#).root)
    #expect(try history.turn { state, _ in try state.patch(job.id, patch) }.revision == job.revision)
  }

  @Test func theOldestFinishedJobsMakeRoom() throws {
    var limits = EngineState.Limits()
    limits.jobs = 2
    var history = History(limits: limits)
    let first = try history.job().id
    let second = try history.job().id
    history.end(second)
    let third = try history.job().id
    #expect(history.state.jobs[second] == nil && history.state.jobs[first] != nil && history.state.jobs[third] != nil)
  }

  @Test func templatesGiveStepsTimeoutAndDefaults() throws {
    var history = History()
    let text =
      #"{"parameters":{"required":["rev"],"properties":{"rev":{"type":"string"},"n":{"type":"integer","default":3}}},"steps":[{"name":"a","command":["echo","$(params.rev)"]}],"timeout":9}"#
    let template = try TemplateRequest.template(JSONDocument(text).root, name: "build", now: history.now)
    _ = try history.turn { state, _ in try state.putTemplate(template) }
    guard case .job(let job, _) = try history.create(#"{"template":"build","parameters":{"rev":"main"}}"#) else { return }
    #expect(job.parameters == ["rev": "main", "n": 3] && job.timeoutSeconds == 9 && job.template == "build")
    #expect(refusal { try history.create(#"{"template":"build"}"#) }?.field == "parameters.rev")
    #expect(refusal { try history.create(#"{"template":"build","parameters":{"rev":1}}"#) }?.field == "parameters.rev")
    #expect(refusal { try history.create(#"{"template":"other"}"#) }?.code == "unknownTemplate")
  }

  @Test func stoppingEndsWhatRunsAndKeepsWhatWaits() throws {
    var limits = EngineState.Limits()
    limits.parallelJobs = 1
    var history = History(limits: limits)
    let running = try history.job().id
    let waiting = try history.job().id
    history.turn { state, now in state.stop(grace: .seconds(3), now: now) }
    #expect(history.signals(running) == [.terminate])
    history.end(running, .signalled(15))
    #expect(history[running].state == .failed && history[running].message == "step a: engine stopped while the step was running")
    #expect(history[waiting].state == .queued)
    #expect(refusal { _ = try history.job() }?.status == 503)
  }

  @Test func stoppingLeavesSchedulesAlone() throws {
    var history = History()
    let schedule = try history.schedule("\"schedule\":\"* * * * *\"")
    history.turn { state, now in state.stop(grace: .seconds(3), now: now) }
    #expect(history.state.nextTick == nil)
    history.pass(.seconds(120))
    #expect(history.started.isEmpty && history.state.schedules[schedule.id]?.nextRunTime == schedule.nextRunTime)
  }

  @Test func theSameHistoryTwiceIsTheSameBytes() throws {
    func run() throws -> [[UInt8]] {
      var history = History()
      let first = try history.job(steps: ["a", "b"], "\"timeout\":30").id
      let second = try history.job().id
      history.end(first)
      history.pass(.seconds(31))
      history.end(first, .signalled(15))
      history.end(second, .exited(1))
      _ = try history.turn { state, now in try state.retry(second, now: now) }
      _ = try history.schedule("\"schedule\":\"* * * * *\"")
      history.pass(.seconds(60))
      _ = try history.turn { state, now in try state.delete(first, now: now) }
      return history.journal
    }
    let journal = try run()
    #expect(try run() == journal && journal.count > 10)
  }
}
