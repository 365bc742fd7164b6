internal import Compression
internal import HTTPMessage
internal import KubeWire
internal import YAMLText

/// The last step of every answer: YAML or pretty JSON where the client wants it, and gzip for what is large. Handlers know of none of it.
///
/// A list can be long, so this is done in pieces: between two of them others get their turn, and where nobody waits any more it is left.
struct ContentCoding: Sendable {
  /// Smaller bodies gain nothing that a client would notice (kubernetes-wire N9).
  private static let minimumToCompress = 128 << 10
  /// The bytes of a piece: well below a millisecond's work.
  private static let piece = 32 << 10
  private static let longestPretty = 1 << 20

  /// What was negotiated; refusals are JSON all the same (kubernetes-wire N8).
  var mediaType = MediaType.json
  private let isPretty: Bool
  private let takesGzip: Bool

  init(_ request: HTTPRequest, _ query: QueryParameters) {
    // kubernetes-wire N10
    let agent = request.headers["User-Agent"] ?? ""
    isPretty = query["pretty"].map { $0 == "true" || $0 == "1" } ?? ["curl", "Wget", "Mozilla"].contains { agent.hasPrefix($0) }
    takesGzip = request.headers.all("Accept-Encoding").contains { AcceptHeader($0).clauses.contains { $0.type == "gzip" } }
  }

  /// True for an answer that is not coded in one go.
  func takesTime(_ response: HTTPResponse) -> Bool {
    guard case .bytes(let bytes) = response.body, bytes.count > Self.piece else { return false }
    return isYAML(response) || isPretty(response) || takesGzip && bytes.count > Self.minimumToCompress
  }

  /// - Returns: the answer as it goes out; a streamed one as it is; 504 when nobody waits any more.
  func coded(_ response: HTTPResponse) async -> HTTPResponse {
    guard case .bytes(var bytes) = response.body, !bytes.isEmpty else { return response }
    var response = response
    if isYAML(response) {
      var writer = YAMLWriter(bytes, limit: Self.longest(bytes))
      guard await inPieces({ writer.advance(by: Self.piece) && !writer.isTooLong }) else { return Self.left }
      // JSON is YAML, too.
      if !writer.isTooLong { bytes = writer.text }
      response.headers["Content-Type"] = MediaType.yaml.rawValue
    } else if isPretty(response) {
      var writer = JSONPretty(bytes, limit: Self.longest(bytes))
      guard await inPieces({ writer.advance(by: Self.piece) && !writer.isTooLong }) else { return Self.left }
      if !writer.isTooLong { bytes = writer.text + [0x0A] }
    }
    if response.status < 400, bytes.count > Self.minimumToCompress, response.headers["Content-Encoding"] == nil {
      response.headers.add("Vary", "Accept-Encoding")
      if takesGzip, let gzip = Gzip() {
        guard await compress(bytes, gzip) else { return Self.left }
        bytes = gzip.bytes
        response.headers["Content-Encoding"] = "gzip"
      }
    }
    response.body = .bytes(bytes)
    return response
  }

  private func isYAML(_ response: HTTPResponse) -> Bool {
    mediaType == .yaml && response.status < 400 && response.headers["Content-Type"] == MediaType.json.rawValue
  }

  /// Nobody reads more than ``longestPretty`` at a terminal.
  private func isPretty(_ response: HTTPResponse) -> Bool {
    guard isPretty, response.headers["Content-Type"] == MediaType.json.rawValue, case .bytes(let bytes) = response.body else {
      return false
    }
    return bytes.count <= Self.longestPretty
  }

  /// Objects as people write them become half as long again.
  private static func longest(_ json: [UInt8]) -> Int { 4 * json.count + (64 << 10) }

  private func compress(_ bytes: [UInt8], _ gzip: Gzip) async -> Bool {
    var start = 0
    return await inPieces {
      let end = min(start + Self.piece, bytes.count)
      gzip.add(bytes[start..<end], isLast: end == bytes.count)
      start = end
      return start < bytes.count
    }
  }

  /// - Parameter advance: does the next piece, and tells whether there is more.
  /// - Returns: false when the task was cancelled before the last one.
  private func inPieces(_ advance: () -> Bool) async -> Bool {
    while advance() {
      await Task.yield()
      if Task.isCancelled { return false }
    }
    return true
  }

  private static var left: HTTPResponse { HTTPResponse(StatusError.deadlineExceeded) }
}
