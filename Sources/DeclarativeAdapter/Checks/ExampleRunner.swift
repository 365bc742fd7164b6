internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections
internal import Synchronization

/// Runs one operation by its name, with JSON in and out: for a file's own examples and for `adapter try`.
struct ExampleRunner: Sendable {
  static let operations = [
    "health", "templates", "submit", "get", "find", "list", "changes", "cancel", "delete", "retry", "suspend", "resume", "setState",
    "parent",
    "overlay.get", "overlay.set", "overlay.remove", "overlay.list", "log",
  ]

  let adapter: DeclarativeAdapter

  /// - Parameter input: `key {kind, parent, id}`, `scope`, `submission`, `cursor`, `mark`, `since`, `uid`, `reason`, `phase`, `overlay`, `follow` …,
  ///   as far as the operation needs them.
  func run(_ operation: String, _ input: JSONValue) async throws(AdapterError) -> JSONValue {
    let scope = AdapterScope(input["scope"] ?? .emptyObject)
    let key = RunKey(
      kind: RunKey.Kind(rawValue: input["key"]?["kind"]?.string ?? "run") ?? .run, parent: input["key"]?["parent"]?.string ?? "",
      id: input["key"]?["id"]?.string ?? "")
    let uid = input["uid"]?.string ?? ""
    switch operation {
    case "health": return try await adapter.health().json
    case "templates":
      let page = try await adapter.templates(scope, cursor: input["cursor"])
      return .object([
        "templates": .array(page.templates.map(\.json)), "next": page.next ?? .null,
        "unreadable": .array(page.unreadable.map { .string($0) }),
      ])
    case "submit": return try await adapter.submit(submission(input["submission"] ?? .emptyObject, scope)).json
    case "get": return try await adapter.get(key, scope: scope).json
    case "find":
      return try await adapter.find(
        submissionKey: input["submissionKey"]?.string ?? "", template: input["template"]?.string, kind: key.kind, scope: scope)?.json
        ?? .null
    case "list":
      let page = try await adapter.list(scope, since: input["since"]?.string.flatMap { Timestamp($0) }, cursor: input["cursor"])
      return .object([
        "runs": .array(page.observations.map(\.json)), "next": page.next ?? .null,
        "unreadable": .array(page.unreadable.map { .string($0) }),
      ])
    case "changes":
      let page = try await adapter.changes(scope, since: input["mark"], now: adapter.clock.now())
      return .object([
        "runs": .array(page.observations.map(\.json)), "deleted": .array(page.deleted.map { .string($0.description) }), "mark": page.mark,
        "complete": .bool(page.complete), "more": .bool(page.more),
      ])
    case "cancel": return try await adapter.cancel(key, uid: uid, reason: input["reason"]?.string ?? "", scope: scope)?.json ?? .null
    case "delete":
      try await adapter.delete(key, scope: scope)
      return .null
    case "retry": return try await adapter.retry(key, scope: scope)?.json ?? .null
    case "suspend": return try await adapter.setSuspended(true, key, scope: scope)?.json ?? .null
    case "resume": return try await adapter.setSuspended(false, key, scope: scope)?.json ?? .null
    case "setState":
      return try await adapter.setState(RunPhase(rawValue: input["phase"]?.string ?? "") ?? .succeeded, key, scope: scope)?.json ?? .null
    case "parent": return .bool(try await adapter.parentIsReadable(key, scope: scope))
    case "overlay.get": return try await adapter.overlay(of: key, uid: uid, scope: scope) ?? .null
    case "overlay.set", "overlay.remove":
      try await adapter.setOverlay(operation == "overlay.set" ? input["overlay"] ?? .emptyObject : nil, of: key, uid: uid, scope: scope)
      return .null
    case "overlay.list":
      let page = try await adapter.overlays(scope: scope, cursor: input["cursor"])
      return .object([
        "overlays": .object(JSONObject(uniqueKeysWithValues: page.overlays.sorted { $0.key < $1.key })), "next": page.next ?? .null,
      ])
    case "log":
      let options = LogOptions(
        follow: input["follow"]?.bool ?? false, step: input["step"]?.string, tailLines: input["tailLines"]?.int.map { Int($0) },
        since: input["sinceTime"]?.string.flatMap { Timestamp($0) })
      let stream = try await adapter.log(key, options, scope: scope)
      var bytes: [UInt8] = []
      while let piece = try await stream.next() { bytes += piece }
      return .string(String(decoding: bytes, as: UTF8.self))
    default: throw AdapterError(.unsupported, "there is no operation '\(operation)'")
    }
  }

  private func submission(_ input: JSONValue, _ scope: AdapterScope) -> Submission {
    let steps = (input["steps"]?.array ?? []).map { step in
      InlineStep(
        name: step["name"]?.string ?? "", image: step["image"]?.string, command: step["command"]?.array?.compactMap(\.string) ?? [],
        args: step["args"]?.array?.compactMap(\.string) ?? [],
        environment: (step["env"]?.array ?? []).map { .init(name: $0["name"]?.string ?? "", value: $0["value"]?.string ?? "") })
    }
    return Submission(
      key: input["key"]?.string ?? "default.example", uid: input["uid"]?.string ?? "00000000-0000-4000-8000-000000000000",
      template: input["template"]?.string, parameters: input["parameters"]?.object ?? [:], steps: steps,
      timeout: input["timeoutSeconds"]?.int.map { .seconds($0) }, schedule: input["schedule"]?.string,
      suspended: input["suspended"]?.bool ?? false,
      envelope: input["envelope"] ?? .emptyObject, requestedBy: input["requestedBy"]?.string ?? "example", scope: scope)
  }
}
