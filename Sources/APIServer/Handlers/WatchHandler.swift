internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Translation

/// GET of a collection with `watch=true`: the head goes out at once, the events follow (kubernetes-wire §6).
struct WatchHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .watch)
    let options = try request.listOptions()
    let services = request.services
    let watch: Watch
    do throws(StatusError) {
      watch = try await services.gateway.watch(
        request.resource, namespace: request.info.namespace, options: options, context: request.context)
    } catch {
      // As kube-apiserver does (kubernetes-wire W4): kopf lists again after an ERROR event, and gives up at a 410 in the status line.
      guard error.status.reason == "Expired" else { throw error }
      return HTTPResponse(
        status: 200, headers: ["Content-Type": "application/json"],
        body: .stream(WatchLine(WatchEventEncoder.line("ERROR", error.status.json))))
    }
    let settings = WatchBody.Settings(
      end: services.clock.now + duration(options, services),
      bookmarkInterval: options.allowWatchBookmarks ? services.configuration.bookmarkInterval : nil)
    let (kind, apiVersion) = (request.kind, services.configuration.group.apiVersion)
    let body = WatchBody(watch, settings: settings, clock: services.clock, events: services.events) { now in
      ObjectEncoder(form: form, kind: kind, apiVersion: apiVersion, now: now)
    }
    return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .stream(body))
  }

  /// As asked, below zero none at all, else between once and twice the minimum, so that watches that began together do not end together (kubernetes-wire W9).
  private func duration(_ options: ListOptions, _ services: APIRequest.Services) -> Duration {
    if let seconds = options.timeoutSeconds, seconds != 0 { return .seconds(min(seconds, 86_400)) }
    return services.configuration.minimumWatch * (1 + services.random())
  }
}
