import JSON
import OrderedCollections
import Testing

@testable import YAMLText

@Suite("YAML as API servers read it")
struct KubernetesScalarTests {
  private func read(_ text: String) throws -> JSONValue? { try YAMLText.json("a: \(text)", schema: .kubernetes)["a"] }

  @Test("words of YAML 1.1")
  func words() throws {
    for word in ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"] { #expect(try read(word) == true, "\(word)") }
    for word in ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"] {
      #expect(try read(word) == false, "\(word)")
    }
    for word in ["", "~", "null", "Null", "NULL"] { #expect(try read(word) == .null, "\(word)") }
    for word in ["yEs", "oN", "nULL", "yess", "\"yes\"", "'no'", "\"~\"", "''"] {
      #expect(try read(word) == .string(word.filter { $0 != "\"" && $0 != "'" }), "\(word)")
    }
    #expect(try read("|\n  yes") == "yes" && read(">-\n  012") == "012")
  }

  @Test(
    "numbers",
    arguments: [
      ("0777", JSONValue.int(511)), ("012", .int(10)), ("-012", .int(-10)), ("0x1F", .int(31)), ("0X1f", .int(31)), ("-0x1_F", .int(-31)),
      ("0o14", .int(12)), ("0b11", .int(3)), ("1_000", .int(1000)), ("+7", .int(7)), ("0", .int(0)), ("00", .int(0)), ("089", .int(89)),
      ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
      ("18446744073709551616", .double(18_446_744_073_709_551_616)),
      ("0xFFFFFFFFFFFFFFFF", .double(18_446_744_073_709_551_615)),
      ("1.5", .double(1.5)), ("1.0", .int(1)), ("1.", .int(1)), (".5", .double(0.5)), ("-.5e+1", .int(-5)), ("1e3", .int(1000)),
      ("1_0.2_5", .double(10.25)),
      ("0x", "0x"), ("0x-1", "0x-1"), ("0b12", "0b12"), ("0o8", "0o8"), ("+-1", "+-1"), ("+", "+"), (".", "."),
      (".5_0", ".5_0"),
      ("0x1p4", "0x1p4"), ("1e", "1e"), ("1e400", "1e400"), ("1.2.3", "1.2.3"), ("12:30", "12:30"), ("_1", "_1"),
      (".Infinity", ".Infinity"),
      ("2026-11-22", "2026-11-22"), ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"), ("'012'", "012"),
    ])
  func numbers(_ text: String, _ value: JSONValue) throws { #expect(try read(text) == value) }

  @Test(
    "tags",
    arguments: [
      ("!!str 1", JSONValue.string("1")), ("!!str yes", "yes"), ("!!str", ""), ("!!int '1'", .int(1)), ("!!int \"0x1F\"", .int(31)),
      ("!!float 1", .int(1)), ("!!float '1.5'", .double(1.5)), ("!!bool 'yes'", .bool(true)), ("!!null ''", .null),
      ("!!binary aGVsbG8=", "hello"), ("!!binary |\n  aGVs\n  bG8=", "hello"), ("!!timestamp 2026-11-22", "2026-11-22"), ("!mine 1", "1"),
      ("!<tag:yaml.org,2002:int> '1'", .int(1)),
    ])
  func tags(_ text: String, _ value: JSONValue) throws { #expect(try read(text) == value) }

  @Test(
    "what JSON does not have, and what its tag does not fit",
    arguments: [
      ".inf", "-.inf", "+.INF", ".nan", ".NaN", "!!float .inf", "!!float '.nan'", "!!int x", "!!int 1.0", "!!int 09", "!!bool 1",
      "!!null x",
      "!!float yes", "!!binary ?", "!!binary aGVsbG8",
    ])
  func refused(_ text: String) {
    #expect { try read(text) } throws: { "\($0)".hasPrefix("line 1: ") && !"\($0)".contains("aGVs") }
  }

  @Test("keys are texts as they are written, and files of ours are read as before")
  func keys() throws {
    #expect(try YAMLText.json("yes: 1\n012: no\n~: .nan-\n", schema: .kubernetes) == ["yes": 1, "012": false, "~": ".nan-"])
    #expect(try YAMLText.json("- no\n- 012\n- .inf\n- !!int '1'\n- 1_000\n") == ["no", 12, ".inf", "1", "1_000"])
  }

  @Test("a text that is written is read as that text")
  func written() throws {
    var texts = [
      "yes", "Y", "n", "On", "OFF", "012", "0x1F", "0X1f", "1_000", "0o14", "0b11", ".inf", "-.Inf", ".NAN", "~", "Null", "", "1e3",
    ]
    texts += ["1.", ".5", "+7", "089", "-0b1", "1_", "<<", "=", "2026-11-22", "12:30", "-", "!!int 1", "0_", "+_1"]
    let value = JSONValue.array(texts.map { .string($0) })
    #expect(try YAMLText.json(YAMLText.text(value), schema: .kubernetes) == value, "\(YAMLText.text(value))")
    let object = JSONValue.object(JSONObject(uniqueKeysWithValues: texts.map { ($0, .string($0)) }))
    #expect(try YAMLText.json(YAMLText.text(object), schema: .kubernetes) == object)
  }
}
