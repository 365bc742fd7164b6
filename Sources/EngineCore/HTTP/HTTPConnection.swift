internal import JSON
internal import NIOCore
internal import NIOHTTP1

/// One connection: collects a request, has it answered, writes the answer and the line of the request log.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let shell: EngineShell
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  private var isRefused = false
  private var stream: LogStream?
  /// Of the request that is being answered, in microseconds.
  private var clockSkew: Int64 = 0

  init(shell: EngineShell) { self.shell = shell }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
      isRefused = false
      clockSkew = 0
      if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > EngineRequest.maximumBody {
        refuse(context, Self.tooLarge)
      } else if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
      }
    case .body(let part):
      if isRefused { return }
      if body.count + part.readableBytes > EngineRequest.maximumBody {
        refuse(context, Self.tooLarge)
      } else {
        body += part.readableBytesView
      }
    case .end:
      if !isRefused, let head { respond(context, head) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stream?.stop()
    stream = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError, !isRefused {
      refuse(context, EngineError(status: 400, code: "badRequest", message: "this is no HTTP/1.1 request"))
    } else {
      context.close(promise: nil)
    }
  }

  private static let tooLarge = EngineError(
    status: 413, code: "tooLarge", message: "the body has more than \(EngineRequest.maximumBody) bytes")

  /// Answers before the request has ended, and closes: the rest is not read.
  private func refuse(_ context: ChannelHandlerContext, _ error: EngineError) {
    isRefused = true
    send(context, FullAnswer(error), closing: true, faults: [])
  }

  // MARK: - Answering

  private func respond(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
    do throws(EngineError) {
      let path = String(head.uri.split(separator: "?", maxSplits: 1).first ?? "/")
      try AccessCheck(token: shell.settings.token).check(head, isOpen: path == "/health")
      let request = EngineRequest(
        method: head.method.rawValue, target: try RequestTarget(head.uri), contentType: head.headers.first(name: "content-type"), body: body
      )
      body = []
      let faultsApply = shell.settings.allowFaults && path != "/v1/faults"
      let faults = faultsApply ? try shell.strike(method: request.method, path: path, header: head.headers["x-fault"]) : []
      let delay = faults.reduce(Int64(0)) { if case .slow(let milliseconds) = $1 { max($0, milliseconds) } else { $0 } }
      if delay > 0 {
        // The connection reads on meanwhile, but the pipelining handler holds back a next request until this one is answered.
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(delay)) { [self] in
          if context.channel.isActive { handle(context, request, faults) } else { logLine(status: nil, bytes: 0, faults: faults) }
        }
      } else {
        handle(context, request, faults)
      }
    } catch {
      send(context, FullAnswer(error), closing: false, faults: [])
    }
  }

  private func handle(_ context: ChannelHandlerContext, _ sent: EngineRequest, _ faults: [Fault.Kind]) {
    var request = sent
    var closesAfter = false
    var cut: Fault.Kind?
    do throws(EngineError) {
      for fault in faults {
        switch fault {
        case .slow: break
        case .status(let status, let retryAfter):
          let error = EngineError(status: status, code: "fault", message: "a fault that was asked for")
          let headers = retryAfter.map { [("Retry-After", String($0))] } ?? []
          send(context, FullAnswer(error, headers: headers), closing: false, faults: faults)
          return
        case .closeBefore:
          hangUp(context, faults)
          return
        case .closeAfter: closesAfter = true
        case .partialPage, .partialJSON: cut = fault
        case .clockSkew(let seconds): request.clockSkew += seconds * 1_000_000
        case .forget(let job): try? shell.forget(job)
        }
      }
      clockSkew = request.clockSkew
      var api = EngineAPI(shell: shell)
      let answer = try api.answer(request)
      if closesAfter {
        hangUp(context, faults)
        return
      }
      switch answer {
      case .full(let full):
        if let cut, request.method == "GET", full.status == 200 {
          send(context, full, cut: cut, faults: faults)
        } else {
          send(context, full, closing: false, faults: faults)
        }
      case .log(let job, let query, let filter): startStream(context, job: job, query, filter, faults)
      }
    } catch {
      if closesAfter { hangUp(context, faults) } else { send(context, FullAnswer(error), closing: false, faults: faults) }
    }
  }

  private func send(_ context: ChannelHandlerContext, _ answer: FullAnswer, closing: Bool, faults: [Fault.Kind]) {
    // Written before the answer, so that whoever has the answer finds the line.
    logLine(status: answer.status, bytes: answer.body.count, faults: faults)
    let keepsAlive = !closing && (head?.isKeepAlive ?? false)
    writeHead(context, answer, length: answer.body.count, keepsAlive: keepsAlive)
    if head?.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil) }
    let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    if !keepsAlive { written.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
  }

  /// Half of an answer: under its full length, after which the connection closes, or as if it were whole.
  private func send(_ context: ChannelHandlerContext, _ answer: FullAnswer, cut: Fault.Kind, faults: [Fault.Kind]) {
    var half = answer
    half.body = Array(answer.body.prefix(answer.body.count / 2))
    if cut == .partialJSON {
      send(context, half, closing: false, faults: faults)
      return
    }
    logLine(status: answer.status, bytes: half.body.count, faults: faults)
    writeHead(context, answer, length: answer.body.count, keepsAlive: true)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: half.body))))).assumeIsolated().whenComplete { _ in
      context.close(promise: nil)
    }
  }

  private func hangUp(_ context: ChannelHandlerContext, _ faults: [Fault.Kind]) {
    logLine(status: nil, bytes: 0, faults: faults)
    context.close(promise: nil)
  }

  private func writeHead(_ context: ChannelHandlerContext, _ answer: FullAnswer, length: Int?, keepsAlive: Bool) {
    var headers = HTTPHeaders()
    headers.add(name: "Content-Type", value: answer.contentType)
    if let length {
      headers.add(name: "Content-Length", value: String(length))
    } else {
      headers.add(name: "Transfer-Encoding", value: "chunked")
    }
    headers.add(name: "Date", value: Timestamp(microseconds: shell.now().microseconds + clockSkew).httpDate)
    headers.add(name: "Cache-Control", value: "no-store")
    headers.add(name: "X-Content-Type-Options", value: "nosniff")
    for (name, value) in answer.headers { headers.add(name: name, value: value) }
    if !keepsAlive { headers.add(name: "Connection", value: "close") }
    let status = HTTPResponseStatus(statusCode: answer.status)
    context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
  }

  private func startStream(_ context: ChannelHandlerContext, job: String, _ query: LogQuery, _ filter: LogFilter, _ faults: [Fault.Kind]) {
    let answer = FullAnswer(status: 200, contentType: "text/plain; charset=utf-8", body: [])
    let keepsAlive = head?.isKeepAlive ?? false
    writeHead(context, answer, length: nil, keepsAlive: keepsAlive)
    context.flush()
    let stream = LogStream(shell: shell, job: job, query: query, filter: filter, channel: context.channel) { [self] bytes in
      self.stream = nil
      logLine(status: 200, bytes: bytes, faults: faults)
      guard context.channel.isActive else { return }
      let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
      if !keepsAlive { written.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
    }
    self.stream = stream
    stream.start()
  }

  private func logLine(status: Int?, bytes: Int, faults: [Fault.Kind]) {
    shell.requestLog.write(
      at: shell.now(), method: head?.method.rawValue ?? "-", target: head?.uri ?? "-", status: status, bytes: bytes,
      faults: faults.map { Fault(kind: $0).text })
  }
}
