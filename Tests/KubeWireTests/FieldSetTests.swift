import JSON
import OrderedCollections
import TestSupport
import Testing

@testable import KubeWire

@Suite(.serialized) struct FieldSetTests {
  private static func randomName(_ generator: inout SeededGenerator) -> String {
    generator.pick([
      "a", "b", "app.kubernetes.io/name", "", ".", "f:x", "*", "~", "~0", "~#", "@a=b&c", "(x)", ",", "é", "😀", "+", "^1", "\"", "\\", "\n",
    ])
  }

  static func randomElement(_ generator: inout SeededGenerator) -> PathElement {
    let scalars: [JSONValue] = ["", "x", "a,b(c)", 1, -5, 1.5, true, nil, "~"]
    switch generator.below(6) {
    case 0:
      let names = Set((0...generator.below(2)).map { _ in randomName(&generator) }).sorted { $0.precedesInBytes($1) }
      return .key(names.map { PathElement.KeyMember($0, generator.pick(scalars)) })
    case 1: return .value(generator.pick(scalars))
    case 2: return .index(generator.below(3))
    default: return .field(randomName(&generator))
    }
  }

  static func randomSet(_ generator: inout SeededGenerator) -> FieldSet {
    FieldSet((0..<generator.below(12)).map { _ in (0...generator.below(4)).map { _ in randomElement(&generator) } })
  }

  @Test("FieldsV1 is read back as it was written, and so is the compact form") func roundTrips() async throws {
    var generator = SeededGenerator(seed: 1)
    for number in 0..<3_000 {
      if number % 4 == 0 { await Task.yield() }
      let set = Self.randomSet(&generator)
      #expect(try FieldSet(json: JSONValue(parsing: set.json.text)) == set, "\(set.json.text)")
      #expect(FieldSet(compact: set.compact) == set, "\(set.compact) \(set.json.text)")
    }
  }

  @Test("Managed fields in their compact form: nothing is lost, and it is short") func compactAccount() async throws {
    var generator = SeededGenerator(seed: 2)
    for _ in 0..<500 {
      await Task.yield()
      let managed = ManagedFields(
        (0..<generator.below(5)).map { _ in
          .init(
            manager: Self.randomName(&generator), operation: generator.pick([.apply, .update]), apiVersion: generator.pick(["v1", "g/v2"]),
            time: generator.pick([nil, Timestamp(seconds: Int64(generator.below(2_000_000_000)))]),
            subresource: generator.pick(["", "status"]), fields: Self.randomSet(&generator))
        })
      #expect(ManagedFields(compact: try managed.compact.map { try JSONValue(parsing: $0.text) }) == managed)
      #expect(try ManagedFields(json: managed.json) == managed)
    }
    let text = """
      [{"manager":"kubectl","operation":"Apply","apiVersion":"workflow.example.com/v1alpha1","time":"2026-11-22T19:01:00Z","fieldsType":"FieldsV1",\
      "fieldsV1":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:steps":{"k:{\\"name\\":\\"s1\\"}":{".":{},"f:image":{},"f:name":{}}}}}}]
      """
    let managed = try ManagedFields(json: JSONValue(parsing: text))
    #expect(
      managed.compact?.text
        == #"[["kubectl","A","workflow.example.com/v1alpha1",1795374060,"","metadata(labels(app)),spec(steps(@name=s1*(image,name)))"]]"#)
  }

  @Test("What is no compact form", arguments: ["a,", "(", "a(", "a()", "a)", "~", "@a", "@a=", "+", "^x", "a*(", "a b(c),,d", "*"])
  func brokenCompact(text: String) { #expect(FieldSet(compact: text) == nil) }

  @Test("Set algebra, path by path") func algebra() async {
    var generator = SeededGenerator(seed: 3)
    for number in 0..<1_000 {
      if number % 4 == 0 { await Task.yield() }
      let (a, b) = (Self.randomSet(&generator), Self.randomSet(&generator))
      let (left, right) = (Set(a.paths), Set(b.paths))
      #expect(Set(a.union(b).paths) == left.union(right) && Set(a.intersection(b).paths) == left.intersection(right))
      #expect(Set(a.subtracting(b).paths) == left.subtracting(right))
      #expect(Set(a.subtractingTrees(b).paths) == left.filter { path in !right.contains { path.starts(with: $0) } })
      #expect(a.count == left.count && FieldSet(a.paths.shuffled(using: &generator)) == a)
      #expect(a.subtracting(b).union(a.intersection(b)) == a && a.subtracting(a) == FieldSet())
      #expect(left.allSatisfy { a.contains($0) })
    }
  }

  @Test(
    "FieldsV1 from elsewhere",
    arguments: [
      (#"{"f:a":{".":{},"f:b":{}},"z:new":{}}"#, #"{"f:a":{".":{},"f:b":{}}}"#), (#"{".":{}}"#, "{}"),
      (#"{"f:a":{"z:new":{}}}"#, #"{"f:a":{}}"#),
      (#"{"f:":{}}"#, #"{"f:":{}}"#), (#"{"v:1.0":{},"v:1":{}}"#, #"{"v:1":{}}"#),
      (#"{"k:{\"b\":1,\"a\":2}":{}}"#, #"{"k:{\"a\":2,\"b\":1}":{}}"#),
      (#"{"i:3":{},"f:z":{},"f:b":{}}"#, #"{"f:b":{},"f:z":{},"i:3":{}}"#),
    ])
  func foreign(text: String, written: String) throws { #expect(try FieldSet(json: JSONValue(parsing: text)).json.text == written) }

  @Test(
    "What is no FieldsV1",
    arguments: ["1", "[]", #"{"a":{}}"#, #"{"ff:a":{}}"#, #"{"f:a":1}"#, #"{"v:x":{}}"#, #"{"k:1":{}}"#, #"{"i:x":{}}"#])
  func broken(text: String) throws {
    let json = try JSONValue(parsing: text)
    #expect(throws: FieldSet.Failure.self) { try FieldSet(json: json) }
  }

  @Test("Broken FieldsV1 and managedFields from the network neither crash nor are half read") func fuzz() async throws {
    var generator = SeededGenerator(seed: 4)
    let whole = Array(
      #"[{"manager":"m","operation":"Apply","apiVersion":"v1","time":"2026-11-22T19:01:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{".":{},"k:{\"n\":\"s\"}":{"v:1":{}}}}}]"#
        .utf8)
    for number in 0..<20_000 {
      if number % 64 == 0 { await Task.yield() }
      var bytes = whole
      for _ in 0...generator.below(4) {
        switch generator.below(3) {
        case 0: bytes[generator.below(bytes.count)] = UInt8(generator.below(256))
        case 1: bytes.remove(at: generator.below(bytes.count))
        default: bytes.insert(generator.pick(Array("{}[]\":,.fkvi0\\".utf8)), at: generator.below(bytes.count))
        }
      }
      guard let json = try? JSONValue(parsing: bytes), let managed = try? ManagedFields(json: json) else { continue }
      #expect(try ManagedFields(json: managed.json) == managed)
      #expect(ManagedFields(compact: managed.compact) == managed)
    }
    for number in 0..<20_000 {
      if number % 64 == 0 { await Task.yield() }
      let text = String((0..<generator.below(12)).map { _ in generator.pick(Array("ab(),*=&@+^~#01\"")) })
      if let set = FieldSet(compact: text) { #expect(FieldSet(compact: set.compact) == set, "\(text)") }
    }
  }
}
