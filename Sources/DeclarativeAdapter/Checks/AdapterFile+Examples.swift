internal import AdapterKit
internal import JSON
internal import OrderedCollections

extension AdapterFile {
  /// Runs the file's examples: each operation against its recorded answers. No request leaves the process.
  package func checkExamples() async -> [AdapterFileProblem] {
    var problems: [AdapterFileProblem] = []
    for example in examples {
      func problem(_ place: Place?, _ message: String) {
        let place = place ?? example.place
        problems.append(AdapterFileProblem(file: file, line: place.line, column: place.column, field: place.field, message: message))
      }
      let transport = ExampleTransport(example.answers)
      let context = BackendContext(
        name: "example", url: ExampleTransport.base, settings: example.input["settings"] ?? .emptyObject, transport: transport,
        credential: { (name: String) throws(AdapterError) in "example-\(name)" })
      let now = example.input["now"]?.string.flatMap { Timestamp($0) } ?? Timestamp(seconds: 1_800_000_000)
      let clock = AdapterClock(now: { now }, sleep: { _ in })
      let adapter: DeclarativeAdapter
      do throws(BackendSettingsError) { adapter = try DeclarativeAdapterFactory.make(self, context, clock: clock) } catch {
        problem(nil, error.description)
        continue
      }
      do throws(AdapterError) {
        let result = try await ExampleRunner(adapter: adapter).run(example.operation, example.input)
        if let wanted = example.expected, let found = difference(wanted, result, at: "result") {
          problem(nil, "\(example.operation): \(found)")
        }
        if let wanted = example.expectedError {
          problem(nil, "\(example.operation): expected the error \(wanted.text), got \(result.text.prefix(300))")
        }
      } catch {
        if let wanted = example.expectedError {
          if let found = difference(wanted, error.json, at: "error") { problem(nil, "\(example.operation): \(found)") }
        } else if transport.complaints.isEmpty {
          problem(nil, "\(example.operation) failed: \(error.code): \(error.message)")
        }
      }
      for (place, message) in transport.complaints { problem(place, "\(example.operation): \(message)") }
    }
    return problems
  }
}
