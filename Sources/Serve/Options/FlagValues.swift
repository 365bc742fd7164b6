import ArgumentParser
import KubeWire

/// A duration as Go's flags take it: `10s`, `1m30s`, `0`.
struct DurationFlag: ExpressibleByArgument, Sendable {
  var duration: Duration
  private let text: String

  init?(argument: String) {
    guard let duration = GoDuration.parse(argument), duration >= .zero else { return nil }
    self.duration = duration
    text = argument
  }

  init(seconds: Int) {
    duration = .seconds(seconds)
    text = "\(seconds)s"
  }

  var defaultValueDescription: String { text }
}

extension [String] {
  /// The values of a flag that may be given several times, each with several values separated by commas.
  var separated: [String] { flatMap { $0.split(separator: ",") }.map(String.init).filter { !$0.allSatisfy(\.isWhitespace) } }
}
