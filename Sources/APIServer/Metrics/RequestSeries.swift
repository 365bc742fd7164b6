internal import Synchronization

/// Everything that is counted of the requests under one set of labels.
final class RequestSeries: Sendable {
  /// The codes that this server answers with; any other counts as `other`.
  static let codes = [
    200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 429, 431, 500, 501, 502, 503, 504,
  ]
  private static let places = Dictionary(uniqueKeysWithValues: codes.enumerated().map { ($1, $0) })
  static let codeTexts = codes.map(String.init) + ["other"]

  static func place(of code: Int) -> Int { places[code] ?? codes.count }

  let total = AtomicCells(codes.count + 1)
  let terminations = AtomicCells(codes.count + 1)
  let aborts = AtomicCells(codes.count + 1)
  let duration = Histogram(RequestMetrics.durationScale)

  /// What the families without `dry_run` count; there only under the labels without it.
  final class Base: Sendable {
    let sli = Histogram(RequestMetrics.sliScale)
    let responseSize = Histogram(RequestMetrics.responseScale)
    let bodySize = Histogram(RequestMetrics.bodyScale)
    let longRunning = Atomic(0)
    /// Once there was any; then it is shown when it is 0, too.
    let hadLongRunning = Atomic(false)
  }
  private let lazyBase = AtomicLazyReference<Base>()

  var base: Base { lazyBase.load() ?? lazyBase.storeIfNil(Base()) }
  var knownBase: Base? { lazyBase.load() }
}
