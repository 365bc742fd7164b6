import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct ScheduleTests {
  @Test func startsJobsOfItsOwn() throws {
    var history = History()
    let schedule = try history.schedule(
      #""schedule":"*/5 * * * *","labels":{"a":"1"},"envelope":{"uid":"1"},"idempotencyKey":"k","timeout":9"#)
    #expect(schedule.nextRunTime == Timestamp("2026-03-01T12:05:00Z"))
    #expect(history.state.nextTick == schedule.nextRunTime)
    history.pass(.seconds(299))
    #expect(history.started.isEmpty)
    history.pass(.seconds(2))
    let job = history[try #require(history.started.first)]
    #expect(job.trigger == .schedule && job.schedule == schedule.id && job.scheduledFor == Timestamp("2026-03-01T12:05:00Z"))
    #expect(job.attachments.labels.isEmpty && job.attachments.envelope == nil && job.idempotencyKey == nil && job.timeoutSeconds == 9)
    let after = history.state.schedules[schedule.id]!
    #expect(after.lastScheduleTime == job.scheduledFor && after.lastJob == job.id && after.nextRunTime == Timestamp("2026-03-01T12:10:00Z"))
  }

  @Test func suspendedItStartsNothing() throws {
    var history = History()
    let schedule = try history.schedule(#""schedule":"@hourly","suspended":true"#).id
    #expect(history.state.schedules[schedule]!.nextRunTime == nil)
    history.pass(.seconds(7200))
    #expect(history.started.isEmpty)
    _ = try history.turn { state, now in try state.setScheduleSuspended(schedule, false, now: now) }
    #expect(history.state.schedules[schedule]!.nextRunTime == Timestamp("2026-03-01T15:00:00Z"))
  }

  @Test func aRunMissedByFarIsLeftOut() throws {
    var history = History()
    let schedule = try history.schedule(#""schedule":"@hourly""#).id
    history.now = Timestamp("2026-03-01T13:20:00Z")!
    history.turn { state, now in state.recover(now: now) }
    #expect(history.started.isEmpty)
    #expect(history.state.schedules[schedule]!.message == "the run of 2026-03-01T13:00:00.000000Z was missed")
    #expect(history.state.schedules[schedule]!.nextRunTime == Timestamp("2026-03-01T14:00:00Z"))
  }

  @Test func aMissingTemplateIsSaid() throws {
    var history = History()
    let template = try TemplateRequest.template(
      JSONDocument(#"{"steps":[{"name":"a","command":["true"]}]}"#).root, name: "t", now: history.now)
    _ = try history.turn { state, _ in try state.putTemplate(template) }
    guard case .schedule(let schedule, _) = try history.create(#"{"template":"t","schedule":"* * * * *"}"#) else { return }
    _ = try history.turn { state, _ in try state.deleteTemplate("t") }
    history.pass(.seconds(60))
    #expect(history.state.schedules[schedule.id]!.message?.contains("there is no template t") == true)
  }

  @Test func deletingItLeavesItsJobs() throws {
    var history = History()
    let schedule = try history.schedule(#""schedule":"* * * * *""#).id
    history.pass(.seconds(60))
    _ = try history.turn { state, now in try state.deleteSchedule(schedule, now: now) }
    history.pass(.seconds(120))
    #expect(history.started.count == 1 && history.state.jobs.count == 1)
    let page = try history.state.listSchedules(query("changedSince=1"))
    #expect(page.items.count == 1)
  }

  @Test func malformedOnesAreRefusedWithTheirField() throws {
    var history = History()
    #expect(refusal { _ = try history.schedule(#""schedule":"61 * * * *""#) }?.field == "schedule")
    #expect(refusal { _ = try history.schedule(#""schedule":"0 0 30 2 *""#) }?.field == "schedule")
    #expect(refusal { _ = try history.schedule(#""schedule":"* * * * *","timeZone":"Mars/Olympus""#) }?.field == "timeZone")
  }
}
