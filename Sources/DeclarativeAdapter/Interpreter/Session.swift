internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections
internal import Synchronization

/// The credentials of one backend: reads them anew for each request, and logs in where the engine wants that.
final class Session: Sendable {
  private struct State {
    var token: String?
    var expires: Timestamp?
    /// Counts logins, also failed ones: who waited while one was made takes its result.
    var generation: UInt64 = 0
    var failure: AdapterError?
  }

  private let auth: Auth?
  private let file: AdapterFile
  private let context: BackendContext
  private let clock: AdapterClock
  private let redactor: Redactor
  private let state = Mutex(State())
  private let oneAtATime = AsyncGate(1)

  init(_ auth: Auth?, _ file: AdapterFile, _ context: BackendContext, _ clock: AdapterClock, _ redactor: Redactor) {
    self.auth = auth
    self.file = file
    self.context = context
    self.clock = clock
    self.redactor = redactor
  }

  /// What every request carries, and which login it comes from.
  func headers() async throws(AdapterError) -> (headers: [(name: String, value: String)], generation: UInt64?) {
    guard let auth, auth.basic != nil || !auth.headers.isEmpty else { return ([], nil) }
    var variables = try variables()
    var generation: UInt64?
    if auth.login != nil {
      let (token, of) = try await token()
      variables["token"] = .string(token)
      generation = of
    }
    do throws(ExpressionFailure) {
      var headers: [(name: String, value: String)] = []
      if let basic = auth.basic {
        let text = "\(try basic.user.text(variables) ?? ""):\(try basic.password.text(variables) ?? "")"
        let encoded = Base64.encode(Array(text.utf8))
        redactor.remember(encoded)
        headers.append(("Authorization", "Basic " + encoded))
      }
      for (name, value) in auth.headers { if let text = try value.text(variables) { headers.append((name, text)) } }
      return (headers, generation)
    } catch {
      throw AdapterError(.unauthenticated, "the credentials cannot be made: \(redactor.redact(error.description))")
    }
  }

  /// Whether an answer says that the login ran out.
  func asksForRenewal(_ response: TransportResponse, _ variables: CELVariables) -> Bool {
    guard let login = auth?.login else { return false }
    guard let condition = login.renew else { return response.status == 401 }
    guard response.status >= 400, let answer = try? Answer(response, form: .json, accepted: false, began: clock.now()) else { return false }
    var variables = variables
    variables["response"] = answer.variable
    return (try? condition.flag(variables)) ?? false
  }

  private func token() async throws(AdapterError) -> (String, UInt64) {
    let now = clock.now()
    let known = state.withLock { state in
      state.token.flatMap { token in state.expires.map { now + .seconds(30) < $0 } ?? true ? (token, state.generation) : nil }
    }
    if let known { return known }
    return try await renew(after: state.withLock { $0.generation })
  }

  /// Logs in, unless somebody did since `generation`.
  func renew(after generation: UInt64?) async throws(AdapterError) -> (String, UInt64) {
    try await oneAtATime.enter()
    defer { oneAtATime.leave() }
    let shared: Result<(String, UInt64), AdapterError>? = state.withLock { state in
      guard state.generation > generation ?? 0 else { return nil }
      if let failure = state.failure { return .failure(failure) }
      return state.token.map { .success(($0, state.generation)) }
    }
    if let shared { return try shared.get() }
    do throws(AdapterError) {
      let (token, expires) = try await login()
      redactor.remember(token)
      return state.withLock { state in
        state.generation += 1
        state.token = token
        state.expires = expires
        state.failure = nil
        return (token, state.generation)
      }
    } catch {
      if error.code != .cancelled {
        state.withLock { state in
          state.generation += 1
          state.token = nil
          state.failure = error
        }
      }
      throw error
    }
  }

  private func login() async throws(AdapterError) -> (String, Timestamp?) {
    guard let login = auth?.login else { throw AdapterError(.unauthenticated, "there is no login") }
    let runner = RequestRunner(file, context, clock, redactor, auth: nil, requests: nil, writes: nil)
    var call = Call(try variables())
    let began = clock.now()
    do throws(AdapterError) {
      try await runner.run(login.chain, &call)
    } catch {
      var error = error
      // Nothing that anybody asked for was written.
      error.inDoubt = false
      if error.code == .invalid || error.code == .forbidden || error.code == .notFound { error.code = .unauthenticated }
      error.message = "login: " + error.message
      throw error
    }
    do throws(ExpressionFailure) {
      guard let token = try login.token.text(call.variables) else { throw login.token.failure("the login's answer holds no token") }
      var expires = try login.expiresAt?.time(call.variables)
      if let seconds = try login.expiresIn?.int(call.variables) { expires = began + .seconds(seconds) }
      return (token, expires)
    } catch {
      throw AdapterError(.malformedAnswer, "login: \(redactor.redact(error.description))")
    }
  }

  /// Settings and credentials, for the expressions of `auth`.
  private func variables() throws(AdapterError) -> CELVariables {
    var variables = CELVariables()
    variables["settings"] = CELValue(context.settings)
    variables["backend"] = .object(["name": .string(context.name), "url": .string(context.url)])
    variables["now"] = .string(clock.now().description)
    variables["scope"] = .object([:])
    var entries: CELMap.Entries = [:]
    for credential in file.credentials {
      do throws(AdapterError) {
        let value = try context.credential(credential.name)
        if credential.secret { redactor.remember(value) }
        entries[.string(credential.name)] = .string(value)
      } catch {
        if !credential.optional { throw error }
      }
    }
    variables["credentials"] = .map(CELMap(entries))
    return variables
  }
}
