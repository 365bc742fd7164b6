/// The whole table of paths.
extension EngineAPI {
  mutating func answer(_ request: EngineRequest) throws(EngineError) -> Answer {
    let path = request.target.path
    let tail = Array(path.dropFirst(2))
    switch (path.first, path.dropFirst().first, tail.count) {
    case ("health", nil, _): return try only(request, ["GET": { _ in Self.health() }])
    case ("jobs", let id?, 0): return try only(request, ["GET": { try $0.page(id) }])
    case ("v1", "version", 0): return try only(request, ["GET": { $0.version() }])
    case ("v1", "faults", 0):
      return try only(
        request, ["GET": { try $0.listFaults() }, "PUT": { try $0.putFaults(request) }, "DELETE": { try $0.clearFaults() }])
    case ("v1", "templates", 0): return try only(request, ["GET": { try $0.listTemplates(request) }])
    case ("v1", "templates", 1):
      return try only(
        request,
        [
          "GET": { try $0.getTemplate(tail[0], request) }, "PUT": { try $0.putTemplate(tail[0], request) },
          "DELETE": { try $0.deleteTemplate(tail[0], request) },
        ])
    case ("v1", "jobs", 0):
      return try only(request, ["GET": { try $0.listJobs(request) }, "POST": { try $0.create(request, mustSchedule: false) }])
    case ("v1", "jobs", 1):
      return try only(
        request,
        [
          "GET": { try $0.getJob(tail[0], request) }, "PATCH": { try $0.patchJob(tail[0], request) },
          "DELETE": { try $0.deleteJob(tail[0], request) },
        ])
    case ("v1", "jobs", 2) where tail[1] == "log": return try only(request, ["GET": { try $0.log(tail[0], request) }])
    case ("v1", "jobs", 2):
      guard let action = JobAction(rawValue: tail[1]) else { break }
      return try only(request, ["POST": { try $0.act(action, on: tail[0], request) }])
    case ("v1", "schedules", 0):
      return try only(request, ["GET": { try $0.listSchedules(request) }, "POST": { try $0.create(request, mustSchedule: true) }])
    case ("v1", "schedules", 1):
      return try only(
        request,
        [
          "GET": { try $0.getSchedule(tail[0], request) }, "PATCH": { try $0.patchSchedule(tail[0], request) },
          "DELETE": { try $0.deleteSchedule(tail[0], request) },
        ])
    case ("v1", "schedules", 2) where tail[1] == "suspend" || tail[1] == "resume":
      return try only(request, ["POST": { try $0.setScheduleSuspended(tail[0], tail[1] == "suspend", request) }])
    default: break
    }
    throw EngineError(status: 404, code: "unknownPath", message: "there is nothing at this path")
  }

  private typealias Handler = (inout EngineAPI) throws -> Answer

  /// - Throws: 405 with the methods that the path has.
  private mutating func only(_ request: EngineRequest, _ handlers: [String: Handler]) throws(EngineError) -> Answer {
    guard let handler = handlers[request.method] else {
      let allowed = handlers.keys.sorted().joined(separator: ", ")
      let error = EngineError(
        status: 405, code: "methodNotAllowed", message: "\(request.method) is not possible here; possible: \(allowed)")
      return .full(FullAnswer(error, headers: [("Allow", allowed)]))
    }
    do { return try handler(&self) } catch let error as EngineError { throw error } catch {
      throw EngineError(status: 500, code: "internal", message: "the engine failed: \(error)")
    }
  }
}
