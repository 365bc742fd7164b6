package import AdapterKit

/// What an ``InMemoryAdapter`` can do, so that tests see the gateway with engines of different talent.
package struct InMemoryOptions: Sendable {
  package var submissionKeys = SubmissionKeys.enforced
  /// Bytes.
  package var overlayLimit = 64 << 10
  package var overlayComesWithRuns = true
  /// Rows of one list page.
  package var pageSize = 100
  package var enforcesTimeout = false
  package var runsInlineSteps = true
  package var keepsSchedules = true
  /// Submitted runs are Running at once; else they wait for ``InMemoryAdapter/start(_:)``.
  package var startsAtOnce = false
  /// Abilities that this engine lacks.
  package var lacks: Set<InMemoryOperation> = []
  package var limitations: [String: String] = [:]
  package var templates: [EngineTemplate] = []

  package init() {}
}

/// The calls of an adapter, for faults, pauses and counts.
package enum InMemoryOperation: String, Sendable, CaseIterable {
  case health, submit, get, list, find, parentIsReadable
  case cancel, delete, retry, suspend, setState, setOverlay, overlay, overlays, changes, templates, log
}

/// What goes wrong with a call.
package enum InMemoryFault: Sendable, Hashable {
  /// 503, nothing was done.
  case unavailable
  /// No answer, and nothing was done; for a write the caller cannot know that.
  case lostRequest
  /// No answer, although the engine did what was asked.
  case lostAnswer
  case rateLimited(retryAfter: Duration)
  case unauthenticated
  case forbidden
  case malformedAnswer

  func error(isWrite: Bool) -> AdapterError {
    switch self {
    case .unavailable: AdapterError(.unavailable, "the engine answered 503", status: 503)
    case .lostRequest, .lostAnswer: AdapterError(.timeout, "the engine did not answer in time", inDoubt: isWrite)
    case .rateLimited(let wait): AdapterError(.rateLimited, "the engine answered 429", retryAfter: wait, status: 429)
    case .unauthenticated: AdapterError(.unauthenticated, "the engine refused the credentials", status: 401)
    case .forbidden: AdapterError(.forbidden, "the engine forbids this", status: 403)
    case .malformedAnswer: AdapterError(.malformedAnswer, "the engine's answer is not JSON", inDoubt: isWrite, status: 200)
    }
  }
}
