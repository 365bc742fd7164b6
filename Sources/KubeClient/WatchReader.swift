import AdapterKit
import JSON
import KubeWire
import Synchronization

/// Cuts the body of a watch into events: one JSON object a line.
final class WatchReader: Sendable {
  private static let maximumLine = 16 << 20

  private let stream: TransportStream
  private let link: ClusterLink
  private let what: String
  private let state = Mutex<(buffer: [UInt8], scanned: Int, ended: Bool)>(([], 0, false))
  private let watchdog = Mutex<Task<Void, Never>?>(nil)
  /// Why the watchdog has ended it.
  private let failure = Mutex<String?>(nil)

  init(_ stream: TransportStream, _ link: ClusterLink, what: String) {
    self.stream = stream
    self.link = link
    self.what = what
  }

  deinit { watchdog.withLock { $0?.cancel() } }

  /// Sees to it that the watch ends when nothing comes any more, or when the server does not end it. Call once.
  ///
  /// - Parameters: as of ``ClusterLink/failure(ofWatchLasting:question:)``.
  func end(after lifetime: Duration?, question: @escaping @Sendable (Duration) -> TransportRequest) {
    let task = Task { [weak self, link] in
      guard let reason = await link.failure(ofWatchLasting: lifetime, question: question), let self else { return }
      failure.withLock { $0 = reason }
      stream.cancel()
    }
    watchdog.withLock { $0 = task }
  }

  /// nil at the end. - Throws: ``KubeError``.
  func next() async throws(KubeError) -> KubeEvent? {
    while true {
      if let line = takeLine() {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
        return try event(line)
      }
      if state.withLock({ $0.ended }) { return nil }
      let piece: [UInt8]?
      do {
        piece = try await stream.next()
      } catch {
        throw .unreachable("\(what): \(failure.withLock { $0 } ?? error.message)")
      }
      if piece != nil { link.noteLife() }
      let tooLong = state.withLock { state in
        if let piece { state.buffer += piece } else { state.ended = true }
        return state.buffer.count > Self.maximumLine
      }
      if tooLong {
        stream.cancel()
        throw .malformed("\(what): an event is larger than \(Self.maximumLine) bytes")
      }
    }
  }

  /// The next whole line; at the end of the body also one without a line feed.
  private func takeLine() -> [UInt8]? {
    state.withLock { state in
      if let end = state.buffer[state.scanned...].firstIndex(of: 0x0A) {
        let line = Array(state.buffer[..<end])
        state.buffer.removeSubrange(...end)
        state.scanned = 0
        return line
      }
      state.scanned = state.buffer.count
      guard state.ended, !state.buffer.isEmpty else { return nil }
      defer { (state.buffer, state.scanned) = ([], 0) }
      return state.buffer
    }
  }

  private func event(_ line: [UInt8]) throws(KubeError) -> KubeEvent {
    guard let value = try? JSONValue(parsing: line), let type = value["type"]?.string, let object = value["object"] else {
      throw .malformed("\(what): a line is no watch event")
    }
    if type == "ERROR" { throw .status(StatusError(status: Int(object["code"]?.int ?? 500), retryAfter: nil, body: object.encoded)) }
    guard let kind = KubeEvent.Kind(rawValue: type) else { throw .malformed("\(what): the event type \(type.prefix(40)) is unknown") }
    return KubeEvent(kind, object)
  }
}
