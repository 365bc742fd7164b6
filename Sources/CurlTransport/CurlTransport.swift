package import AdapterKit

/// ``HTTPTransport`` over libcurl: one driver thread, connections kept and shared, HTTP/2 where TLS agrees on it.
///
/// Reads may be repeated once by libcurl itself when a kept connection turns out to be dead; writes only if not one byte of them had been
/// sent. A connection that carries bytes no longer, but was not closed, costs the requests that are on it; later ones get another
/// (``CurlConfiguration/silence``). Redirects are never followed, and no other scheme than http and https is spoken.
package final class CurlTransport: HTTPTransport, Sendable {
  private let drivers: DriverGenerations

  package init(_ configuration: CurlConfiguration = CurlConfiguration()) { drivers = DriverGenerations(configuration) }

  deinit { drivers.shutdown() }

  /// Ends all transfers with `.cancelled` and closes the connections; requests that come later fail the same way. Harmless when repeated.
  package func shutdown() { drivers.shutdown() }

  package func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    try await run(Transfer(CheckedRequest(request)))
  }

  package func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    let buffer = StreamBuffer()
    let transfer = Transfer(try CheckedRequest(request), buffer: buffer)
    let head = try await run(transfer)
    let reader = StreamReader(transfer: transfer, buffer: buffer)
    return TransportStream(
      status: head.status, headers: head.headers, next: { () async throws(TransportError) in try await reader.next() },
      cancel: { reader.cancel() })
  }

  private func run(_ transfer: Transfer) async throws(TransportError) -> TransportResponse {
    let drivers = drivers
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>) in
        let host = transfer.checked.host
        guard transfer.begin(continuation) else {
          return continuation.resume(
            returning: .failure(TransportError(.cancelled, "the request to \(host) was cancelled", mayHaveBeenSent: false)))
        }
        if !drivers.add(transfer) {
          continuation.resume(
            returning: .failure(TransportError(.cancelled, "the transport was shut down before \(host) was asked", mayHaveBeenSent: false)))
        }
      }
    } onCancel: {
      // A cancel that comes between `begin` and the post of `.add` is posted first and finds nothing to end: the driver looks again in `add`.
      transfer.markCancelled()?.post(.cancel(transfer))
    }
    return try result.get()
  }
}

/// Reads one stream; when the last reference goes, the transfer ends.
private final class StreamReader: Sendable {
  let transfer: Transfer
  let buffer: StreamBuffer

  init(transfer: Transfer, buffer: StreamBuffer) {
    self.transfer = transfer
    self.buffer = buffer
  }

  deinit { cancel() }

  func cancel() { transfer.driver?.post(.cancel(transfer)) }

  func next() async throws(TransportError) -> [UInt8]? {
    let result = await withTaskCancellationHandler { () async -> Result<[UInt8]?, TransportError> in
      do throws(TransportError) {
        return .success(try await buffer.next { transfer.driver?.post(.resume(transfer)) })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      cancel()
    }
    return try result.get()
  }
}
