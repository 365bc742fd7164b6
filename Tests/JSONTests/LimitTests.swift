import JSON
import Testing

@Suite struct LimitTests {
  private func problem(_ text: String, _ limits: JSONLimits = JSONLimits()) -> JSONError? {
    do {
      _ = try JSONDocument(text, limits: limits)
      return nil
    } catch { return error }
  }

  private func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }

  @Test func depthIsCountedInContainers() throws {
    #expect(problem(nested(128)) == nil)
    #expect(problem(nested(129))?.reason == "more than 128 values inside each other")
    #expect(problem("1", JSONLimits(maximumDepth: 0)) == nil)
    #expect(problem("[]", JSONLimits(maximumDepth: 0))?.offset == 0)
    #expect(problem(#"{"a":[{}]}"#, JSONLimits(maximumDepth: 3)) == nil)
    #expect(problem(#"{"a":[{}]}"#, JSONLimits(maximumDepth: 2))?.offset == 6)
    // What was closed does not count.
    #expect(problem("[" + Array(repeating: "[]", count: 500).joined(separator: ",") + "]", JSONLimits(maximumDepth: 2)) == nil)
  }

  @Test func depthCostsNoStack() throws {
    let document = try JSONDocument(nested(500_000), limits: JSONLimits(maximumDepth: .max))
    #expect(document.root.count == 1)
  }

  @Test func sizeIsCountedInBytes() {
    #expect(problem(#""éé""#, JSONLimits(maximumBytes: 6)) == nil)
    let error = problem(#""éé""#, JSONLimits(maximumBytes: 5))
    #expect(error?.reason == "the text has 6 bytes, more than the limit of 5")
    #expect(JSONLimits(maximumBytes: .max).maximumBytes < Int(UInt32.max))
  }

  @Test(arguments: [
    ("", 0, 1, 1, "expected a value, but the text ends here"),
    ("  ", 2, 1, 3, "expected a value, but the text ends here"),
    ("[1,\n 2,\n  x]", 10, 3, 3, "expected a value"),
    ("[1 2]", 3, 1, 4, "expected ',' or ']'"),
    (#"{"a":1"#, 6, 1, 7, "expected ',' or '}', but the text ends here"),
    ("[1,]", 3, 1, 4, "a comma before the closing bracket"),
    (#"{"a":1,}"#, 7, 1, 8, "a comma before the closing bracket"),
    (#"{a:1}"#, 1, 1, 2, "expected a member name in double quotes"),
    (#"{"a" 1}"#, 5, 1, 6, "expected ':' after the member name"),
    ("1 2", 2, 1, 3, "unexpected text after the value"),
    ("nul", 0, 1, 1, "expected null"),
    ("truE", 0, 1, 1, "expected true"),
    ("-", 1, 1, 2, "expected a digit, but the text ends here"),
    ("1.", 2, 1, 3, "expected a digit after the decimal point, but the text ends here"),
    ("1e+x", 3, 1, 4, "expected a digit in the exponent"),
    ("01", 1, 1, 2, "unexpected text after the value"),
    (#""abc"#, 4, 1, 5, "expected the closing quote of a string, but the text ends here"),
    (#""a\"#, 2, 1, 3, "unknown escape in a string"),
    (#""\x""#, 1, 1, 2, "unknown escape in a string"),
    (#""\u12"#, 1, 1, 2, "\\u needs four hexadecimal digits"),
    (#""\u12G4""#, 1, 1, 2, "\\u needs four hexadecimal digits"),
    ("\"\n\"", 1, 1, 2, "a control character inside a string must be escaped"),
    ("\"a\u{0}b\"", 2, 1, 3, "a control character inside a string must be escaped"),
    ("\u{0}", 0, 1, 1, "expected a value"),
    ("1\u{0}", 1, 1, 2, "unexpected text after the value"),
    ("[\u{0}]", 1, 1, 2, "expected a value"),
    ("\u{FEFF}1", 0, 1, 1, "expected a value"),
  ])
  func saysWhereAndWhat(_ text: String, _ offset: Int, _ line: Int, _ column: Int, _ reason: String) {
    #expect(problem(text) == JSONError(reason: reason, offset: offset, line: line, column: column))
  }

  @Test func describesItself() { #expect(problem("[\n?")?.description == "line 2, column 1: expected a value") }

  /// Every beginning of a text with everything in it, with the end of the text at the end of what may be read.
  @Test func noTextIsReadBeyondItsEnd() {
    let text = Array(#" {"a\u00e9\"\\":[-1.5e+10,true,false,null,"é日🚀\uD83D\uDE80"],"b":{"c":0}} "#.utf8)
    let page = GuardedPage(capacity: text.count)
    for count in 0...text.count { #expect(page.accepts(Array(text.prefix(count))) == (count >= text.count - 1), "\(count)") }
    for ending in [
      #""\"#, #""\u"#, #""\u1"#, #""\u12"#, #""\u123"#, #""\u1234"#, "\"\u{C3}", "t", "tr", "tru", "f", "fals", "n", "nul", "-", "1.", "1e",
      "1e-",
    ] {
      #expect(!page.accepts(Array(ending.utf8)), "\(ending)")
    }
    for ending: [UInt8] in [[0x22, 0xC3], [0x22, 0xE3, 0x81], [0x22, 0xF0, 0x9F, 0x9A], [0x22, 0xF0], [0x22, 0x5C, 0], [0]] {
      #expect(!page.accepts(ending))
    }
    #expect(page.accepts(Array("12".utf8)))
  }

  /// Strings are looked at eight bytes at a time: each byte at each place among plain ones, in texts that end right behind.
  @Test func everyByteAtEveryPlaceOfAString() {
    let page = GuardedPage(capacity: 64)
    for length in 1...20 {
      for place in 0..<length {
        for byte in UInt8.min...UInt8.max {
          var text = [UInt8](repeating: 0x61, count: length + 2)
          text[0] = 0x22
          text[length + 1] = 0x22
          text[place + 1] = byte
          // A quote leaves one too many; a backslash stands before an "a" or the closing quote.
          let plain = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
          #expect(page.accepts(text) == plain, "\(byte) at \(place) of \(length)")
        }
      }
    }
  }
}
