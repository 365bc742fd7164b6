internal import HTTPMessage
internal import KubeWire

/// What browsers and some old clients ask for in order to watch.
enum WebSocketUpgrade {
  /// The aggregation layer makes of any other answer to such a request than 101 or a failure a 503 that says nothing to the client.
  ///
  /// - Throws: 400 for a watch, and for a log that goes on. Others are answered as if no upgrade had been asked for.
  static func refuse(_ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters) throws(StatusError) {
    let isLog = info.subresource == "log" && query.bool("follow")
    guard info.verb == "watch" || isLog, isAsked(for: request) else { return }
    throw .badRequest("a \(isLog ? "log" : "watch") over WebSocket is not served; ask for it without the Upgrade header")
  }

  private static func isAsked(for request: HTTPRequest) -> Bool {
    has("upgrade", "Connection", request) && has("websocket", "Upgrade", request)
  }

  private static func has(_ token: String, _ header: String, _ request: HTTPRequest) -> Bool {
    request.headers.all(header).contains { line in
      line.lowercased().split { ", \t".contains($0) }.contains { $0 == token }
    }
  }
}
