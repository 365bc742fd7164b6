package import AdapterKit
internal import CEL
package import JSON

extension DeclarativeAdapter: OverlayKeeping {
  package var overlayLimit: Int { file.overlay?.limit ?? 0 }
  package var overlayComesWithRuns: Bool { file.overlay?.comesWithRuns ?? false }

  package func setOverlay(_ overlay: JSONValue?, of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) {
    guard let operations = file.overlay else { throw unsupported("overlay") }
    if let overlay, case let size = overlay.encoded.count, size > operations.limit {
      throw AdapterError(.invalid, "the metadata takes \(size) bytes; \(file.engine) keeps \(operations.limit)")
    }
    let removes = if case .none = overlay { true } else { false }
    var call = try await call(key, scope)
    call.variables["uid"] = .string(uid)
    call.variables["overlay"] = overlay.map { CELValue($0) } ?? .null
    do throws(AdapterError) {
      try await runner.run(removes ? operations.remove : operations.set, &call)
    } catch {
      if removes, error.code == .notFound { return }
      throw error
    }
  }

  package func overlay(of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) -> JSONValue? {
    guard let operations = file.overlay else { throw unsupported("overlay") }
    var call = try await call(key, scope)
    call.variables["uid"] = .string(uid)
    try await runner.run(operations.get.chain, &call)
    let variables = call.variables
    return try runner.evaluating { () throws(ExpressionFailure) in try operations.get.document.json(variables) }
  }

  package func overlays(scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> OverlayPage {
    guard let operation = file.overlay?.list else { throw unsupported("overlay") }
    let (documents, next) = try await documents(operation, try await call(scope), page: PageState(cursor))
    return OverlayPage(overlays: documents, next: next?.json)
  }
}
