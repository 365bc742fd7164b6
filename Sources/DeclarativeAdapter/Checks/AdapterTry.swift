package import AdapterKit
package import JSON
internal import OrderedCollections
internal import Synchronization

/// What `workflow-apiserver adapter try FILE OPERATION` does: one operation against a real engine, with everything that went over the wire.
package enum AdapterTry {
  package static let operations = ExampleRunner.operations

  /// - Parameters:
  ///   - input: as in a file's examples under `with`.
  ///   - print: gets one text per request, answer and result; secrets are taken out.
  /// - Returns: whether the operation succeeded.
  package static func run(
    _ file: AdapterFile, _ context: BackendContext, operation: String, input: JSONValue, clock: AdapterClock = .system,
    print: @escaping @Sendable (String) -> Void
  ) async throws(BackendSettingsError) -> Bool {
    let tracing = TracingTransport(context.transport, print)
    var context = context
    context.transport = tracing
    let adapter = try DeclarativeAdapterFactory.make(file, context, clock: clock)
    tracing.redactor.withLock { $0 = adapter.redactor }
    do throws(AdapterError) {
      let result = try await ExampleRunner(adapter: adapter).run(operation, input)
      print("= " + adapter.redactor.redact(result.text))
      return true
    } catch {
      print("! " + adapter.redactor.redact(error.json.text))
      return false
    }
  }
}

/// Prints what passes through.
private final class TracingTransport: HTTPTransport {
  let inner: any HTTPTransport
  let print: @Sendable (String) -> Void
  let redactor = Mutex<Redactor?>(nil)

  init(_ inner: any HTTPTransport, _ print: @escaping @Sendable (String) -> Void) {
    self.inner = inner
    self.print = print
  }

  func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    show(request)
    do throws(TransportError) {
      let response = try await inner.send(request)
      show(response)
      return response
    } catch {
      print("< \(error.code.rawValue): \(error.message)")
      throw error
    }
  }

  func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    show(request)
    let stream = try await inner.stream(request)
    print("< \(stream.status) (stream)")
    return stream
  }

  private func show(_ request: TransportRequest) {
    let secret: Set<String> = ["authorization", "cookie", "proxy-authorization"]
    var text = "> \(request.method) \(request.url)"
    for (name, value) in request.headers {
      let hidden = secret.contains(name.lowercased()) || name.lowercased().contains("token") || name.lowercased().contains("key")
      text += "\n> \(name): \(hidden ? "<redacted>" : value)"
    }
    if let body = request.body { text += "\n> " + String(decoding: body.prefix(4096), as: UTF8.self) }
    print(clean(text))
  }

  /// The answer of a login holds the new token before anybody can know it.
  private func show(_ response: TransportResponse) {
    var text = String(decoding: response.body.prefix(4096), as: UTF8.self)
    if text.contains("token") || text.contains("secret") || text.contains("password") {
      if let json = try? JSONValue(parsing: response.body) { text = withoutSecrets(json).text } else { text = "<not shown>" }
    }
    print(clean("< \(response.status) \(text)"))
  }

  private func withoutSecrets(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map(withoutSecrets))
    case .object(var members):
      for (name, member) in members {
        let low = name.lowercased()
        let hidden = low.contains("token") || low.contains("secret") || low.contains("password")
        members[name] = hidden && member.string != nil ? "<redacted>" : withoutSecrets(member)
      }
      return .object(members)
    default: return value
    }
  }

  private func clean(_ text: String) -> String { redactor.withLock { $0 }?.redact(text) ?? text }
}
