public import AdapterKit

/// The contract of AdapterKit as runnable checks: what the gateway relies on, tried on a live adapter.
///
/// ```
/// let report = await Conformance(adapter, fixture).run()
/// #expect(report.failures.isEmpty, "\(report)")
/// ```
/// The checks run one after another, because some engines cannot take two writes at once. They leave nothing active behind where the adapter
/// can cancel, and delete their runs where it can delete.
public struct Conformance: Sendable {
  private let adapter: any Adapter
  private let fixture: ConformanceFixture

  public init(_ adapter: any Adapter, _ fixture: ConformanceFixture) {
    self.adapter = adapter
    self.fixture = fixture
  }

  /// Names of all checks, in the order in which they run.
  public static var names: [String] { Check.all.map(\.name) }

  /// - Parameter only: names of the checks to run; nil for all.
  public func run(only names: Set<String>? = nil) async -> ConformanceReport {
    var results: [ConformanceReport.Result] = []
    for check in Check.all where names?.contains(check.name) ?? true {
      let bench = Bench(adapter, fixture, check: check.name)
      if let reason = check.skip(bench) {
        results.append(.init(name: check.name, outcome: .skipped(reason)))
        continue
      }
      do {
        try await check.body(bench)
        results.append(.init(name: check.name, outcome: .passed))
      } catch let failure as CheckFailure {
        results.append(.init(name: check.name, outcome: .failed(failure.description)))
      } catch let error as AdapterError {
        results.append(.init(name: check.name, outcome: .failed("unexpected error \(error.code): \(error.message)")))
      } catch {
        results.append(.init(name: check.name, outcome: .failed("\(error)")))
      }
      await bench.cleanUp()
    }
    return ConformanceReport(adapter: adapter.traits.name, results: results)
  }
}

public struct ConformanceReport: Sendable, CustomStringConvertible {
  public enum Outcome: Sendable, Hashable {
    case passed
    /// The adapter does not claim to do this, or the fixture has nothing to try it on.
    case skipped(String)
    case failed(String)
  }

  public struct Result: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let outcome: Outcome

    public var description: String {
      switch outcome {
      case .passed: "ok    \(name)"
      case .skipped(let reason): "skip  \(name): \(reason)"
      case .failed(let reason): "FAIL  \(name): \(reason)"
      }
    }
  }

  public let adapter: String
  public let results: [Result]

  public var failures: [Result] { results.filter { if case .failed = $0.outcome { true } else { false } } }
  public var description: String { results.map(\.description).joined(separator: "\n") }
}
