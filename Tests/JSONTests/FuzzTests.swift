import Foundation
import JSON
import OrderedCollections
import Testing

/// Seeded random texts; whoever computes for long makes room for the tests with sockets. `JSON_FUZZ_COUNT=5000000` for a long run, `JSON_FUZZ_SEED` for another one.
@Suite(.serialized) struct FuzzTests {
  static let count = ProcessInfo.processInfo.environment["JSON_FUZZ_COUNT"].flatMap { Int($0) } ?? 200_000
  static let seed = ProcessInfo.processInfo.environment["JSON_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

  /// Parsed at the end of readable memory; where it is JSON: the view, the value and what is written again agree.
  @Test func readingAndWritingAgree() async throws {
    var generator = TextGenerator(seed: Self.seed)
    let page = GuardedPage(capacity: 1 << 20)
    var accepted = 0
    for i in 0..<Self.count {
      if i % 64 == 0 { await Task.yield() }
      let text = i % 4 == 0 ? Array(generator.value().utf8) : i % 4 == 1 ? generator.noise() : generator.mutated()
      let document: JSONDocument
      do {
        document = try JSONDocument(text)
      } catch {
        if i % 4 == 0 { Issue.record("refused: \(shown(text)): \(error)") }
        if page.accepts(text) { Issue.record("accepted only at the end of a page: \(shown(text))") }
        if !(0...text.count).contains(error.offset) || error.line < 1 || error.column < 1 {
          Issue.record("no such place: \(error) in \(shown(text))")
        }
        continue
      }
      accepted += 1
      if !page.accepts(text) { Issue.record("refused only at the end of a page: \(shown(text))") }
      let value = document.root.value
      if !Agreement.holds(document.root, value) { Issue.record("view and value differ: \(shown(text))") }
      let written = value.encoded
      guard let again = try? JSONValue(parsing: written) else {
        Issue.record("wrote no JSON: \(shown(written)) for \(shown(text))")
        continue
      }
      if !Agreement.equal(value, again) { Issue.record("changed by writing: \(shown(text)) to \(shown(written))") }
      if again.encoded != written { Issue.record("not the same twice: \(shown(written))") }
    }
    #expect(accepted >= Self.count / 4)
  }

  /// Foundation has a parser of its own: it must take and refuse the same texts, but for what is left to each parser.
  @Test func agreesWithFoundation() async throws {
    var generator = TextGenerator(seed: Self.seed &+ 1)
    var compared = 0
    for i in 0..<Self.count / 10 {
      if i % 64 == 0 { await Task.yield() }
      let text = i % 3 == 0 ? generator.noise() : generator.mutated()
      // Zero bytes and byte order marks make Foundation guess at another encoding.
      let string = String(decoding: text, as: UTF8.self)
      guard !text.contains(0), !string.contains("\u{FEFF}"), !text.isEmpty else { continue }
      var ours: JSONValue?
      var reason = ""
      do { ours = try JSONValue(parsing: text) } catch { reason = error.reason }
      let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
      // It refuses lone surrogates and numbers beyond a Double.
      if let ours, theirs == nil, string.contains("\\u") || hasInfinity(ours) { continue }
      // It takes "[1,]", which RFC 8259 does not.
      if theirs != nil, reason == "a comma before the closing bracket" { continue }
      compared += 1
      if (ours == nil) != (theirs == nil) { Issue.record("\(shown(text)): \(ours == nil ? "refused here only" : "accepted here only")") }
    }
    #expect(compared > Self.count / 20)
  }

  private func hasInfinity(_ value: JSONValue) -> Bool {
    switch value {
    case .double(let number): number.isInfinite
    case .array(let elements): elements.contains(where: hasInfinity)
    case .object(let members): members.values.contains(where: hasInfinity)
    default: false
    }
  }

  private func shown(_ text: [UInt8]) -> String { String(decoding: text.prefix(400), as: UTF8.self).debugDescription }
}
