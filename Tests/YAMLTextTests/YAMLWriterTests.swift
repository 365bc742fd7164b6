import JSON
import OrderedCollections
import TestSupport
import Testing
import YAMLText
import Yams

@Suite("YAML is written")
struct YAMLWriterTests {
  private static func written(_ json: some StringProtocol, pieces: Int = .max) -> String {
    var writer = YAMLWriter(Array(json.utf8))
    while writer.advance(by: pieces) {}
    return String(decoding: writer.text, as: UTF8.self)
  }

  @Test("as kubectl shows an object")
  func layout() {
    let json =
      #"{"apiVersion":"v1","kind":"List","items":[{"metadata":{"name":"a","annotations":{},"uid":"1f","at":"2026-11-22T12:00:00Z"},"# + "\n"
      + #" "args":["-c","echo a: b\necho c\n",["x",[]],{"num":1}], "f":1.5, "t":true, "z":null},"#
      + #""x"],"text":"one\n  two","nothing":""}"#
    #expect(
      Self.written(json) == """
        apiVersion: v1
        kind: List
        items:
        - metadata:
            name: a
            annotations: {}
            uid: "1f"
            at: "2026-11-22T12:00:00Z"
          args:
          - -c
          - |
            echo a: b
            echo c
          - - x
            - []
          - num: 1
          f: 1.5
          t: true
          z: null
        - x
        text: |-
          one
            two
        nothing: ""

        """)
  }

  @Test(
    "a text, so that it stays one",
    arguments: [
      (#""plain text""#, "plain text"), (#""nginx:1.2""#, "nginx:1.2"), (#""--flag=x""#, "--flag=x"), (#""10s""#, "10s"),
      (#""ä 😀""#, "ä 😀"),
      (#""1""#, #""1""#), (#""0x1F""#, #""0x1F""#), (#""1_0""#, #""1_0""#), (#""12:30:45""#, #""12:30:45""#), (#""1e3""#, #""1e3""#),
      (#""Yes""#, #""Yes""#), (#""n""#, #""n""#), (#""NULL""#, #""NULL""#), (#""~""#, #""~""#), (#"".inf""#, #"".inf""#),
      (#""<<""#, #""<<""#),
      (#""a: b""#, "'a: b'"), (#""a:""#, "'a:'"), (#""a #b""#, "'a #b'"), (#""'""#, "''''"), (#"" a""#, "' a'"), (#""-""#, "'-'"),
      (#""- a""#, "'- a'"), (#""---""#, "'---'"), (#""{}""#, "'{}'"), (#""*""#, "'*'"), (#""%a""#, "'%a'"),
      (#""a\tb""#, #""a\tb""#), (#""a\r\nb""#, #""a\r\nb""#), (#"" a\nb""#, #"" a\nb""#), (#""a\n ""#, #""a\n ""#), (#""\n""#, #""\n""#),
      (#""\u0001\u007f\u0085\u2028\ufeff\uffff""#, #""\x01\x7F\x85\u2028\uFEFF\uFFFF""#),
      (#""\"\\\/\u0000\ud83d\ude00""#, #""\"\\/\x0\#("0")😀""#),
      (#""\ud83d""#, "\u{FFFD}"), ("1e20", "1.0e+20"), ("-1.5E-7", "-1.5e-7"), ("18446744073709551615", "18446744073709551615"),
      (#""a\n\n""#, "|+\n  a\n"), (#""a\n\tb\n""#, "|\n  a\n  \tb"), (#"{"a":"x\n\n\ny"}"#, "a: |-\n  x\n\n\n  y"), ("[]", "[]"),
      (" { } ", "{}"),
      (
        #"[{"\#(String(repeating: "k", count: 129))":{"a":[1]},"b":2}]"#,
        "- ? \(String(repeating: "k", count: 129))\n  :\n    a:\n    - 1\n  b: 2"
      ),
    ])
  func scalars(_ json: String, _ yaml: String) { #expect(Self.written(json) == yaml + "\n") }

  /// Texts out of what means something to YAML. Yams drops a byte order mark at the beginning of a scalar, escaped or not, so none begins with it.
  private static func text(_ random: inout SeededGenerator) -> String {
    let pieces = [
      "a", "b", "0", "1", "_", "x", "e", "E", ".", "-", "+", ":", "~", " ", " ", "\n", "\n", "\t", "\r", "#", "'", "\"", "\\", "{", "}",
      "[", "]", ",", "&",
      "*", "!", "|", ">", "%", "@", "`", "?", "=", "<<", "---", "...", "true", "no", "null", "Inf", ".nan", "T", "Z", "é", "😀", "\u{1}",
      "\u{0}", "\u{7F}",
      "\u{85}", "\u{A0}", "\u{2028}", "a\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}", "2026-11-22", ": ", " #", "- ",
    ]
    return (0..<(random.chance(20) ? 200 : random.below(7))).map { _ in random.pick(pieces) }.joined()
  }

  private static func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
    switch random.below(depth > 4 ? 6 : 10) {
    case 0: return [.null, .bool(true), .bool(false)].randomElement(using: &random)!
    case 1: return .int(Int64.random(in: (random.chance(2) ? -9...9 : Int64.min...Int64.max), using: &random))
    case 2: return .double(random.pick([0.5, -1.5e-7, 1e300, 12345.678, 1.8446744073709552e19]))
    case 3...5: return .string(text(&random))
    case 6, 7: return .array((0..<random.below(4)).map { _ in value(&random, depth: depth + 1) })
    default:
      var members: JSONObject = [:]
      for _ in 0..<random.below(4) { members[text(&random)] = value(&random, depth: depth + 1) }
      return .object(members)
    }
  }

  /// Every scalar is taken for what it is by us, after YAML 1.2, and by Yams, after 1.1.
  private static func agrees(_ node: Node, _ value: JSONValue) -> Bool {
    let tag: Yams.Tag.Name
    switch (node, value) {
    case (.sequence(let sequence), .array(let values)):
      return sequence.count == values.count && zip(sequence, values).allSatisfy { agrees($0, $1) }
    case (.mapping(let mapping), .object(let members)):
      return mapping.count == members.count
        && zip(mapping, members).allSatisfy { agrees($0.key, .string($1.key)) && agrees($0.value, $1.value) }
    case (.scalar, .null): tag = .null
    case (.scalar, .bool): tag = .bool
    case (.scalar, .int): tag = .int
    // A float without a fraction and an exponent is a whole number in YAML.
    case (.scalar(let scalar), .double): tag = scalar.string.contains { ".e".contains($0) } ? .float : .int
    case (.scalar, .string): tag = .str
    default: return false
    }
    guard case .scalar(let scalar) = node else { return false }
    return node.tag == Yams.Tag(tag) && YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain) == value
  }

  @Test("whatever it is, it is read as the same, and is the same in pieces", arguments: 0..<8)
  func property(_ seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    for number in 0..<400 {
      if number % 8 == 0 { await Task.yield() }
      let json = JSONValue.object(["v": Self.value(&random, depth: 0)])
      // Floats that are whole are integers once they are text.
      let value = try JSONValue(parsing: json.encoded)
      let yaml = YAMLText.text(value)
      let node = try #require(try Parser(yaml: yaml, encoding: .utf8).singleRoot())
      #expect(Self.agrees(node, value), "\(value.text)\n\(yaml)")
      #expect(Self.written(value.text, pieces: 1 + random.below(9)) == yaml)
    }
  }
}
