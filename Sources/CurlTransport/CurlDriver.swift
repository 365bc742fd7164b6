import AdapterKit
private import CCurl
import Glibc
import Synchronization

/// The one thread that touches libcurl's handles. Others post commands and wake it up.
///
/// `@unchecked` because of `multi`, `active` and `idle`, which only that thread uses; `curl_multi_wakeup` is the one call that libcurl allows
/// from elsewhere, and it is made under the queue's lock, so never after the clean-up.
final class CurlDriver: @unchecked Sendable {
  enum Command {
    case add(Transfer)
    case cancel(Transfer)
    case resume(Transfer)
    case shutdown
  }

  private struct Queue {
    var commands: [Command] = []
    var closed = false
  }

  private let configuration: CurlConfiguration
  private let queue = Mutex(Queue())
  private let multi: UnsafeMutableRawPointer
  private var active: [UnsafeMutableRawPointer: Transfer] = [:]
  private var idle: [UnsafeMutableRawPointer] = []
  /// When a transfer that has ended last heard something, in nanoseconds of the monotonic clock.
  private var heard: UInt64 = 0
  /// When its connections were found to be silent: it gets no more requests then, and ends when those that it has are over.
  private var silentSince: UInt64?
  private var isClosing = false
  private let onSilence: @Sendable (CurlDriver) -> Void
  private let onEnd: @Sendable (CurlDriver) -> Void

  private static let globalInit: Bool = ccurl_global_init() == CURLE_OK

  /// - Parameters:
  ///   - onSilence: called on the thread, once, when later requests must go elsewhere.
  ///   - onEnd: called on the thread when that ends by itself.
  init(
    _ configuration: CurlConfiguration, onSilence: @escaping @Sendable (CurlDriver) -> Void, onEnd: @escaping @Sendable (CurlDriver) -> Void
  ) {
    self.configuration = configuration
    self.onSilence = onSilence
    self.onEnd = onEnd
    precondition(CurlDriver.globalInit, "libcurl cannot be initialised")
    guard let multi = curl_multi_init() else { preconditionFailure("libcurl cannot be initialised: out of memory") }
    self.multi = multi
    ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
    // How many are kept when they are idle. With any number in use, what bursts need is kept, too.
    let kept = configuration.maxConnectionsPerHost > 0 ? configuration.maxConnectionsPerHost * 4 : 64
    ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(16, kept))
    // Bit 1 is CURLPIPE_MULTIPLEX.
    ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, 2)
  }

  /// Starts the thread. Call once. The thread keeps the driver alive until `shutdown`.
  func start() {
    let box = Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      {
        Unmanaged<CurlDriver>.fromOpaque($0!).takeRetainedValue().run(); return nil
      }, box)
    precondition(result == 0, "no thread for libcurl: error \(result)")
    pthread_detach(thread)
  }

  /// False when the driver was shut down.
  @discardableResult
  func post(_ command: Command) -> Bool {
    queue.withLock { queue in
      if queue.closed { return false }
      queue.commands.append(command)
      if queue.commands.count == 1 { curl_multi_wakeup(multi) }
      return true
    }
  }

  private func run() {
    // A signal, SIGPIPE of a TLS connection included, is no business of this thread.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)

    var open = true
    while open {
      let commands = queue.withLock { queue in
        defer { queue.commands.removeAll(keepingCapacity: true) }
        return queue.commands
      }
      for command in commands where !apply(command) { open = false }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      var left: Int32 = 0
      while let message = curl_multi_info_read(multi, &left) {
        guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
        finish(handle, ccurl_message_result(message))
      }
      let wait = expire()
      if silentSince != nil, active.isEmpty, closeQueue() {
        open = false
        onEnd(self)
      }
      if open { curl_multi_poll(multi, nil, 0, wait, nil) }
    }
    close()
  }

  /// False when there are commands yet.
  private func closeQueue() -> Bool {
    queue.withLock { queue in
      if queue.commands.isEmpty { queue.closed = true }
      return queue.closed
    }
  }

  /// False for `shutdown`.
  private func apply(_ command: Command) -> Bool {
    switch command {
    case .add(let transfer): add(transfer)
    case .cancel(let transfer): abort(transfer, .cancelled)
    case .resume(let transfer):
      // libcurl delivers what it held back from inside this call, so the transfer may pause again at once.
      if let handle = transfer.handle { ccurl_unpause(handle) }
    case .shutdown: return false
    }
    return true
  }

  private func add(_ transfer: Transfer) {
    guard transfer.adopt() else {
      transfer.stop = .cancelled
      return transfer.finish(transportError(curlCode: CURLE_ABORTED_BY_CALLBACK.rawValue, of: transfer))
    }
    guard let handle = idle.popLast() ?? curl_easy_init() else {
      return transfer.finish(TransportError(.invalidRequest, "out of memory", mayHaveBeenSent: false))
    }
    do throws(TransportError) {
      try EasyHandle.prepare(handle, for: transfer, configuration)
    } catch {
      recycle(handle, transfer)
      return transfer.finish(error)
    }
    transfer.handle = handle
    if transfer.buffer != nil { transfer.headDeadline = monotonicNow() &+ UInt64(transfer.checked.timeoutMilliseconds) * 1_000_000 }
    let code = curl_multi_add_handle(multi, handle)
    guard code == CURLM_OK else {
      transfer.handle = nil
      recycle(handle, transfer)
      return transfer.finish(TransportError(.invalidRequest, String(cString: curl_multi_strerror(code)), mayHaveBeenSent: false))
    }
    active[handle] = transfer
  }

  private func finish(_ handle: UnsafeMutableRawPointer, _ code: CURLcode) {
    guard let transfer = active.removeValue(forKey: handle) else { return }
    curl_multi_remove_handle(multi, handle)
    transfer.handle = nil
    heard = max(heard, transfer.lastHeard)
    // Before who waits is told: what they ask next must not meet the same connection.
    if silentSince == nil, !isClosing, provesSilence(transfer, code) {
      silentSince = monotonicNow()
      onSilence(self)
    }
    let error = code == CURLE_OK && transfer.stop == nil ? nil : transportError(curlCode: code.rawValue, of: transfer)
    recycle(handle, transfer)
    transfer.finish(error)
  }

  /// Whether a transfer was given up for lack of an answer, while nothing came for any other either.
  private func provesSilence(_ transfer: Transfer, _ code: CURLcode) -> Bool {
    let isGivenUp = transfer.stop.map { $0 == .timeout || $0 == .cancelled } ?? (code == CURLE_OPERATION_TIMEDOUT)
    guard isGivenUp, transfer.sentAt > 0, transfer.buffer == nil || !transfer.headIsComplete else { return false }
    let last = active.values.reduce(max(heard, transfer.sentAt)) { max($0, $1.lastHeard) }
    // Who gives up by himself says nothing of the peer; a time limit does.
    let patience = transfer.stop == .cancelled ? configuration.silence : min(configuration.silence, .seconds(4))
    return monotonicNow() &- last >= patience.nanoseconds
  }

  private func abort(_ transfer: Transfer, _ reason: TransportError.Code) {
    guard let handle = transfer.handle else { return }
    transfer.stop = reason
    finish(handle, CURLE_ABORTED_BY_CALLBACK)
  }

  private func recycle(_ handle: UnsafeMutableRawPointer, _ transfer: Transfer) {
    curl_easy_reset(handle)
    EasyHandle.release(transfer)
    if idle.count < 32 { idle.append(handle) } else { curl_easy_cleanup(handle) }
  }

  /// Ends streams whose head is late, or which stay silent on a shared connection that no longer is to be trusted.
  ///
  /// - Returns: milliseconds until there is something to do; libcurl shortens it by its own timers.
  private func expire() -> Int32 {
    let now = monotonicNow()
    var wait: UInt64 = 60_000
    var late: [(Transfer, TransportError.Code)] = []
    for transfer in active.values {
      guard let deadline = transfer.headDeadline ?? streamDeadline(transfer) else { continue }
      if deadline <= now {
        late.append((transfer, transfer.headDeadline == nil ? .broken : .timeout))
      } else {
        wait = min(wait, (deadline - now) / 1_000_000 + 1)
      }
    }
    for (transfer, reason) in late { abort(transfer, reason) }
    // An end of one may have set a deadline for others.
    return late.isEmpty ? Int32(wait) : expire()
  }

  private func streamDeadline(_ transfer: Transfer) -> UInt64? {
    guard let silentSince, transfer.buffer != nil, transfer.isHTTP2 else { return nil }
    return max(silentSince, transfer.lastHeard) &+ configuration.silence.nanoseconds
  }

  private func close() {
    isClosing = true
    let left = queue.withLock { queue in
      queue.closed = true
      defer { queue.commands = [] }
      return queue.commands
    }
    for case .add(let transfer) in left {
      _ = transfer.adopt()
      transfer.stop = .cancelled
      transfer.finish(transportError(curlCode: CURLE_ABORTED_BY_CALLBACK.rawValue, of: transfer))
    }
    for transfer in Array(active.values) { abort(transfer, .cancelled) }
    for handle in idle { curl_easy_cleanup(handle) }
    idle = []
    // Closes the connections too.
    curl_multi_cleanup(multi)
  }
}

/// Nanoseconds of a clock that never goes back.
func monotonicNow() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
