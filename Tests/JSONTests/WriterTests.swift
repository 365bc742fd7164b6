import JSON
import OrderedCollections
import TestSupport
import Testing

@Suite struct WriterTests {
  private func written(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func escapesWhatItMustAndNothingElse() throws {
    #expect(
      written { $0.string("\"\\/\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}é\u{2028}🚀<&>") }
        == "\"\\\"\\\\/\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\u{7F}é\u{2028}🚀<&>\"")
    #expect(written { $0.string("") } == #""""#)
    #expect(written { $0.string("\n") } == #""\n""#)
    for scalar in (0..<0x300).compactMap(Unicode.Scalar.init) {
      let text = "a\(Character(scalar))b"
      #expect(try JSONValue(parsing: JSONValue.string(text).encoded) == .string(text))
      #expect(try JSONDocument(JSONValue.object([text: 1]).encoded).root[text]?.int == 1)
    }
  }

  @Test func putsCommasWhereTheyBelong() {
    let text = written {
      $0.beginObject()
      $0.name("a")
      $0.beginArray()
      $0.beginArray()
      $0.endArray()
      $0.beginObject()
      $0.endObject()
      $0.null()
      $0.bool(false)
      $0.raw(Array("[1]".utf8))
      $0.endArray()
      $0.name("b\"")
      $0.int(.min)
      $0.name("c")
      $0.value(["x": [1, "2"]])
      $0.endObject()
    }
    #expect(text == #"{"a":[[],{},null,false,[1]],"b\"":-9223372036854775808,"c":{"x":[1,"2"]}}"#)
  }

  @Test(arguments: [
    (0, "0"), (-0.0, "0"), (1, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (999_999_999_999_999, "999999999999999"), (1e15, "1000000000000000.0"),
    (1e21, "1e+21"),
    (-1e300, "-1e+300"), (.leastNonzeroMagnitude, "5e-324"), (0.30000000000000004, "0.30000000000000004"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (.infinity, "null"), (-.infinity, "null"), (.nan, "null"),
  ])
  func doubles(_ value: Double, _ text: String) throws {
    #expect(written { $0.double(value) } == text)
    if value.isFinite { #expect(try JSONDocument(text).root.double == value) }
  }

  @Test func anyDoubleIsReadBack() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<20_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      let read = try JSONDocument(JSONValue.double(value).encoded).root.double
      if read != value { Issue.record("\(value) was read back as \(String(describing: read))") }
    }
  }
}
