import JSON
import OrderedCollections
import Testing

@Suite struct ReadingTests {
  @Test func theLastOfRepeatedNamesCounts() throws {
    let text = #"{"a":1,"b":2,"\u0061":3}"#
    let root = try JSONDocument(text).root
    #expect(root["a"]?.int == 3)
    #expect(root.count == 3)
    #expect(root.members.map(\.name) == ["a", "b", "a"])
    // The place of the first, the value of the last.
    #expect(root.value.text == #"{"a":3,"b":2}"#)
    #expect(root.value == ["a": 3, "b": 2])
  }

  /// The one place where a view and a value differ; see ``JSONObject``.
  @Test func spellingsOfOneNameAreToldApartByViewsOnly() throws {
    let root = try JSONDocument("{\"\u{E9}\":1,\"e\u{301}\":2}").root
    #expect(root["\u{E9}"]?.int == 1)
    #expect(root["e\u{301}"]?.int == 2)
    #expect(root.value.object?.count == 1)
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u00E9""#, "Aéé"), (#""\u0000""#, "\u{0}"),
    (#""a\u0000b""#, "a\u{0}b"),
    (#""\uD83D\uDE80""#, "🚀"), (#""\ud83d\ude80""#, "🚀"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\uD800\uDC00""#, "\u{10000}"),
    (#""\uFFFF""#, "\u{FFFF}"), (#""\uD83D""#, "\u{FFFD}"), (#""\uDE80""#, "\u{FFFD}"), (#""\uD83Dx""#, "\u{FFFD}x"),
    (#""\uD83D\n""#, "\u{FFFD}\n"), (#""\uD83D\u0041""#, "\u{FFFD}A"), (#""\uD83D\uD83D\uDE80""#, "\u{FFFD}🚀"),
    (#""\uDE80\uD83D""#, "\u{FFFD}\u{FFFD}"),
    (#""\uD83D\\uDE80""#, "\u{FFFD}\\uDE80"), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"), (#""""#, ""),
  ])
  func strings(_ text: String, _ expected: String) throws {
    #expect(Array(try JSONDocument(text).root.string!.unicodeScalars) == Array(expected.unicodeScalars))
    #expect(try JSONDocument("{\(text):7}").root[expected]?.int == 7)
  }

  /// RFC 3629: overlong forms, surrogates, beyond U+10FFFF, cut off, alone.
  @Test(
    arguments: [
      [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
      [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFF], [0x80], [0xC3], [0xE3, 0x81], [0xF0, 0x9F, 0x9A], [0xC3, 0x28],
    ] as [[UInt8]])
  func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
    #expect(throws: JSONError(reason: "not UTF-8", offset: 1, line: 1, column: 2)) { try JSONDocument([0x22] + bytes + [0x22]) }
  }

  @Test func takesTheEdgesOfUTF8() throws {
    for scalar in ["\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"] {
      #expect(try JSONDocument("\"\(scalar)\"").root.string == scalar)
    }
  }

  @Test(arguments: [
    ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("999999999999999999", 999_999_999_999_999_999),
    ("-99999999999999999", -99_999_999_999_999_999),
    ("9223372036854775807", Int64.max), ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil),
    ("1.0", nil), ("1e2", nil), ("100000000000000000000000", nil),
  ])
  func integers(_ text: String, _ expected: Int64?) throws {
    let root = try JSONDocument(text).root
    #expect(root.int == expected)
    #expect(root.value.int == expected)
    #expect(root.double == Double(text))
  }

  @Test func numbersBeyondInt64() throws {
    #expect(try JSONDocument("18446744073709551615").root.uint == .max)
    #expect(try JSONDocument("18446744073709551616").root.uint == nil)
    #expect(try JSONDocument("-1").root.uint == nil)
    #expect(try JSONValue(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
    #expect(try JSONDocument("1e400").root.double == .infinity)
    #expect(try JSONDocument("-1e400").root.double == -.infinity)
    #expect(try JSONDocument("1e-400").root.double == 0)
    #expect(try JSONDocument("5e-324").root.double == .leastNonzeroMagnitude)
    #expect(try JSONDocument("-0.0").root.double?.sign == .minus)
    #expect(try JSONDocument("[1.5,2]").root[0]?.double == 1.5)
  }

  @Test func otherKindsReadAsNil() throws {
    let root = try JSONDocument(#"{"n":null,"t":true,"i":1,"s":"x","a":[1,[2]],"o":{}}"#).root
    #expect(root["missing"] == nil && root[0] == nil && root.string == nil && root.int == nil && root.double == nil && root.bool == nil)
    #expect(root["n"]!.isNull && root["t"]!.bool == true && root["i"]!.bool == nil && root["s"]!.int == nil)
    #expect(root["a"]!["x"] == nil && root["a"]![1]![0]!.int == 2 && root["a"]![2] == nil)
    #expect(Array(root["o"]!.elements).isEmpty && Array(root["a"]!.members).isEmpty && root["o"]!.count == 0)
    #expect(String(decoding: root["a"]!.rawBytes, as: UTF8.self) == "[1,[2]]")
    #expect(String(decoding: root["s"]!.rawBytes, as: UTF8.self) == "x")
  }

  @Test func emptyNamesAreNames() throws { #expect(try JSONDocument(#"{"":1}"#).root[""]?.int == 1) }
}
