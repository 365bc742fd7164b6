package import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

/// Sets an adapter up for one backend.
package enum DeclarativeAdapterFactory {
  /// Checks the backend's settings against the file's schema, fills in the defaults and makes the adapter. Sends nothing.
  ///
  /// - Throws: ``BackendSettingsError`` with everything that is wrong.
  package static func make(_ file: AdapterFile, _ context: BackendContext, clock: AdapterClock = .system) throws(BackendSettingsError)
    -> DeclarativeAdapter
  {
    var context = context
    while context.url.hasSuffix("/") { context.url.removeLast() }
    var (settings, faults) = file.settingsSchema.faults(in: context.settings, at: "settings")
    if !context.url.hasPrefix("http://"), !context.url.hasPrefix("https://") {
      faults.append(ValueSchema.Fault(field: "url", message: "must begin with http:// or https://, not '\(context.url)'"))
    }
    if context.url.dropFirst(8).contains("@") {
      faults.append(ValueSchema.Fault(field: "url", message: "must not hold a user or password; credentials have a place of their own"))
    }
    if settings.object == nil { settings = .emptyObject }
    context.settings = settings
    var variables = CELVariables([
      "settings": CELValue(settings), "scope": .object([:]),
      "backend": .object(["name": .string(context.name), "url": .string(context.url)]),
      "now": .string(clock.now().description), "members": .null,
    ])
    func evaluated<T>(_ body: (CELVariables) throws(ExpressionFailure) -> T?) -> T? {
      do throws(ExpressionFailure) { return try body(variables) } catch {
        if faults.isEmpty { faults.append(ValueSchema.Fault(field: "settings", message: "do not fit the adapter file: \(error)")) }
        return nil
      }
    }
    let limits = DeclarativeAdapter.Limits(
      concurrentRequests: evaluated { v throws(ExpressionFailure) in try file.limits.concurrentRequests?.int(v) }.map { max(1, Int($0)) },
      concurrentWrites: evaluated { v throws(ExpressionFailure) in try file.limits.concurrentWrites?.int(v) }.map { max(1, Int($0)) },
      requestsPerSecond: evaluated { v throws(ExpressionFailure) in try file.limits.requestsPerSecond?.int(v) }.map { max(1, Int($0)) })
    let auth = file.auth.first { auth in
      guard let condition = auth.condition else { return true }
      return evaluated { v throws(ExpressionFailure) in try condition.flag(v) } ?? false
    }
    if auth == nil, !file.auth.isEmpty {
      faults.append(ValueSchema.Fault(field: "settings", message: "fit none of the file's ways to authenticate"))
    }
    let inline = evaluated { v throws(ExpressionFailure) in try file.traits.inlineSteps?.flag(v) }
    variables["members"] = nil
    guard faults.isEmpty else { throw BackendSettingsError(backend: context.name, adapter: file.name, faults: faults) }
    let traits = AdapterTraits(
      engine: file.engine, name: file.name, version: file.version, submissionKeys: file.traits.submissionKeys,
      enforcesTimeout: file.traits.enforcesTimeout, runsInlineSteps: file.runs.submitSteps != nil && inline ?? true,
      keepsSchedules: file.schedules?.submitTemplate != nil, listReachRows: file.traits.listReachRows,
      listReachAge: file.traits.listReachAge,
      submitDeadline: file.traits.submitDeadline, limitations: file.traits.limitations)
    return DeclarativeAdapter(file, context, clock, Redactor(), traits: traits, limits: limits, auth: auth)
  }

  /// What is wrong with a binding's scope; empty when nothing is.
  package static func faults(inScope scope: AdapterScope, _ file: AdapterFile) -> [ValueSchema.Fault] {
    file.scopeSchema.faults(in: scope.settings, at: "scope").faults
  }
}

/// Settings of a backend that do not fit its adapter file.
package struct BackendSettingsError: Error, Sendable, CustomStringConvertible {
  package var backend: String
  package var adapter: String
  package var faults: [ValueSchema.Fault]

  package var description: String {
    "backend '\(backend)' (adapter \(adapter)): " + faults.map { "\($0.field) \($0.message)" }.joined(separator: "; ")
  }
}
