/// One sentence of the contract.
struct Check: Sendable {
  let name: String
  /// Why it does not apply; nil when it does.
  let skip: @Sendable (Bench) -> String?
  let body: @Sendable (Bench) async throws -> Void

  init(
    _ name: String, skip: @escaping @Sendable (Bench) -> String? = { _ in nil }, _ body: @escaping @Sendable (Bench) async throws -> Void
  ) {
    self.name = name
    self.skip = skip
    self.body = body
  }

  static let all = health + submission + reading + lifeCycle + writing + overlays + listing + optional
}

struct CheckFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
