package import AdapterKit

/// Counts what is asked of one engine and how long it takes to answer. Goes inside the budget, so that waiting for it is not the engine's time.
package struct MeasuredTransport: HTTPTransport {
  private let transport: any HTTPTransport
  private let backend: String
  private let metrics: CallMetrics

  package init(_ transport: any HTTPTransport, backend: String, metrics: CallMetrics) {
    self.transport = transport
    self.backend = backend
    self.metrics = metrics
  }

  package func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    let start = ContinuousClock.now
    do throws(TransportError) {
      let response = try await transport.send(request)
      record(String(response.status), start)
      return response
    } catch {
      record(error.code.rawValue, start)
      throw error
    }
  }

  package func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    let start = ContinuousClock.now
    do throws(TransportError) {
      let stream = try await transport.stream(request)
      record(String(stream.status), start)
      return stream
    } catch {
      record(error.code.rawValue, start)
      throw error
    }
  }

  private func record(_ code: String, _ start: ContinuousClock.Instant) {
    metrics.record(backend, code, duration: start.duration(to: .now))
  }
}
