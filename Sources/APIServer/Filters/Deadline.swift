internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Synchronization
internal import Translation

/// Answers in time, whatever the work does (kubernetes-wire U4).
enum Deadline {
  /// - Parameters:
  ///   - query: its `timeout` is a Go duration; the maximum is also the default, and what zero and less come to.
  /// - Throws: 400 for what is no duration.
  static func duration(_ query: QueryParameters, maximum: Duration) throws(StatusError) -> Duration {
    guard let text = query["timeout"], !text.isEmpty else { return maximum }
    do throws(GoDuration.Refusal) {
      let value = try GoDuration.parsed(text)
      return value <= .zero ? maximum : min(value, maximum)
    } catch {
      throw .badRequest("invalid timeout specified in the request URL - \(error.text)")
    }
  }

  private typealias Waiter = CheckedContinuation<Result<Answer, StatusError>, Never>

  private struct Race: Sendable {
    var waiter: Waiter?
    var result: Result<Answer, StatusError>?
  }
  typealias Answer = APIServerResponder.Answer

  /// Runs `work` until `moment`. A read is cancelled then; a write that was sent goes on to its end, since breaking it off would leave it in doubt,
  /// and is also not ended when the client goes away.
  ///
  /// - Parameters:
  ///   - place: held until the work has ended, not only until the client is answered: an engine that hangs must not collect writes without end.
  ///   - late: gets what came of a write whose client was told 504, since nobody else hears of it.
  /// - Throws: what `work` throws; 504 when time is up.
  static func run(
    until moment: Timestamp, clock: any TimeSource, isWrite: Bool, place: InFlightLimit.Place? = nil,
    _ work: @escaping @Sendable () async throws(StatusError) -> Answer, late: @escaping @Sendable (Answer) async -> Void = { _ in }
  ) async throws(StatusError) -> Answer {
    let race = RaceBox()
    // Not a task group: a group would wait for work that does not heed its cancellation.
    place?.hold()
    let worker = Task {
      let result: Result<Answer, StatusError>
      do throws(StatusError) { result = .success(try await work()) } catch { result = .failure(error) }
      // Before the client can know: its next request finds the room.
      if race.finish(result, before: { place?.leave() }) { return }
      if isWrite {
        switch result {
        case .success(let answer): await late(answer)
        case .failure(let error): await late(Answer(response: HTTPResponse(error)))
        }
      }
      place?.leave()
    }
    let timer = Task {
      do { try await clock.sleep(until: moment) } catch { return }
      race.finish(.failure(.deadlineExceeded))
      if !isWrite { worker.cancel() }
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { race.wait($0) }
    } onCancel: {
      if !isWrite { worker.cancel() }
    }
    timer.cancel()
    return try result.get()
  }

  /// The first result counts.
  private final class RaceBox: Sendable {
    private let state = Mutex(Race())

    /// - Parameter before: done by the first one, before anybody is told.
    /// - Returns: whether it is the first.
    @discardableResult
    func finish(_ result: Result<Answer, StatusError>, before: () -> Void = {}) -> Bool {
      let (isFirst, waiter) = state.withLock { state -> (Bool, Waiter?) in
        guard state.result == nil else { return (false, nil) }
        state.result = result
        before()
        defer { state.waiter = nil }
        return (true, state.waiter)
      }
      waiter?.resume(returning: result)
      return isFirst
    }

    func wait(_ continuation: Waiter) {
      let result = state.withLock { state in
        if state.result == nil { state.waiter = continuation }
        return state.result
      }
      if let result { continuation.resume(returning: result) }
    }
  }
}
