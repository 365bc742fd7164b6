/// Carries requests to an engine. Implemented by libcurl in `CurlTransport`; tests put their own in its place.
///
/// A transport never retries and never follows redirects: both are decisions about the meaning of a request, which it does not know.
public protocol HTTPTransport: Sendable {
  /// Sends one request and collects the answer, whatever its status.
  ///
  /// - Throws: ``TransportError`` when there is no whole answer. Cancelling the task ends the transfer and throws `.cancelled`.
  func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse

  /// Sends one request and returns as soon as the head of the answer is there; the body follows piece by piece with back-pressure.
  ///
  /// The request's `timeout` bounds the time to the head only.
  func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream
}

public struct TransportRequest: Sendable {
  public var method: String
  /// Absolute, http or https.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]?
  /// From the call to the last byte of the answer; 30 s unless told.
  public var timeout: Duration
  /// More than that is an error, never a cut; 64 MiB unless told.
  public var maximumResponseBytes: Int

  public init(
    method: String, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, timeout: Duration = .seconds(30),
    maximumResponseBytes: Int = 64 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.maximumResponseBytes = maximumResponseBytes
  }
}

public struct TransportResponse: Sendable {
  public var status: Int
  /// In order; names as sent.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first header of that name, compared without case.
  public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

/// An answer whose body is read while it comes.
public struct TransportStream: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  /// Pieces in order; nil at the end. Dropping it, or throwing out of the loop, ends the transfer.
  public var next: @Sendable () async throws(TransportError) -> [UInt8]?
  /// Ends the transfer early; harmless when it has ended.
  public var cancel: @Sendable () -> Void

  public init(
    status: Int, headers: [(name: String, value: String)], next: @escaping @Sendable () async throws(TransportError) -> [UInt8]?,
    cancel: @escaping @Sendable () -> Void
  ) {
    self.status = status
    self.headers = headers
    self.next = next
    self.cancel = cancel
  }
}

/// Why there is no whole answer, and whether the engine may have acted on the request.
public struct TransportError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The name of the host is unknown.
    case resolve
    case connect
    case tls
    case timeout
    /// The connection ended before the answer was whole, or what came is not HTTP.
    case broken
    case tooLarge
    case cancelled
    /// The URL or an option is unusable.
    case invalidRequest
  }

  public var code: Code
  /// For people: what happened and at which host. Never holds a header, a body or user information of a URL.
  public var message: String
  /// False only when certainly no byte of the request reached the engine.
  public var mayHaveBeenSent: Bool

  public init(_ code: Code, _ message: String, mayHaveBeenSent: Bool) {
    self.code = code
    self.message = message
    self.mayHaveBeenSent = mayHaveBeenSent
  }

  public var description: String { message }
}
