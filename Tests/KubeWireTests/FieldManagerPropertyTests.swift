import JSON
import OrderedCollections
import TestSupport
import Testing

@testable import KubeWire

/// What must hold for any schema, any objects and any order of writes.
@Suite(.serialized) struct FieldManagerPropertyTests {
  private struct World {
    var generator: SeededGenerator
    /// Values without null, and keyed and set lists that are not empty: Kubernetes has no owner for an empty one, and so cannot keep an account of it.
    var isPlain = true

    mutating func schema(_ depth: Int = 0) -> Schema {
      switch generator.below(depth < 3 ? 9 : 3) {
      case 0: return .string("")
      case 1: return .integer("")
      case 2: return Schema(.anything, "")
      case 3: return .array("", of: schema(depth + 1))
      case 4: return .set("", of: .string(""))
      case 5: return .map("", of: schema(depth + 1))
      case 6: return .array("", of: object(depth + 1, keyed: true), keys: ["k"])
      case 7: return object(depth + 1).atomic
      default: return object(depth + 1)
      }
    }

    mutating func object(_ depth: Int, keyed: Bool = false) -> Schema {
      var fields = ["a", "b", "c"].prefix(1 + generator.below(3)).map { schema(depth).field($0) }
      if keyed { fields.append(Schema.string("").field("k", required: true)) }
      return .object("", open: generator.chance(4), fields)
    }

    mutating func value(_ schema: Schema, _ depth: Int = 0) -> JSONValue {
      let length = (isPlain ? 1 : 0) + generator.below(3)
      switch schema.form {
      case .string: return generator.pick(["x", "y", ""])
      case .integer, .number: return generator.pick([1, 2])
      case .boolean: return generator.pick([true, false])
      case .anything:
        let plain: [JSONValue] = [1, 1.5, "x", [1, [:]], [], ["p": 1], ["p": ["q": "r"], "s": 1], ["p": [1]]]
        return depth > 3 ? "x" : generator.pick(isPlain ? plain : plain + [nil, [:], ["s": nil]])
      case .reference(let definition): return value(definition.schema, depth)
      case .array(let element, .atomic): return .array((0..<generator.below(3)).map { _ in value(element, depth + 1) })
      case .array(_, .set): return .array(["x", "y", "z", "w"].shuffled(using: &generator).prefix(length).map { .string($0) })
      case .array(let element, .map):
        return .array(
          ["x", "y", "z"].shuffled(using: &generator).prefix(length).map { key in
            var item = value(element, depth + 1)
            item["k"] = .string(key)
            return item
          })
      case .map(let member):
        return .object(
          JSONObject(
            uniqueKeysWithValues: ["m", "n", "o"].shuffled(using: &generator).prefix(length).map {
              ($0, value(member, depth + 1))
            }))
      case .object(let fields, let open):
        var members = JSONObject()
        for field in fields where generator.below(3) > 0 { members[field.name] = value(field.schema, depth + 1) }
        if open, generator.chance(2) { members["z"] = value(Schema(.anything, ""), depth + 1) }
        return .object(members)
      }
    }
  }

  private static func exists(_ path: ArraySlice<PathElement>, in value: JSONValue) -> Bool {
    guard let first = path.first else { return true }
    let rest = path.dropFirst()
    switch first {
    case .field(let name): return value[name].map { exists(rest, in: $0) } ?? false
    case .value(let wanted): return value.array?.contains { $0.isSame(as: wanted) } == true && rest.isEmpty
    case .key(let members):
      return value.array?.contains { element in
        members.allSatisfy { element[$0.name]?.isSame(as: $0.value) == true } && exists(rest, in: element)
      } ?? false
    case .index: return false
    }
  }

  @Test(
    "Applying twice is applying once; what was applied is there; managers have only what there is; nothing changed is nothing entered",
    arguments: 0..<40)
  func laws(seed: Int) async throws {
    var world = World(generator: SeededGenerator(seed: UInt64(seed)), isPlain: seed % 2 == 0)
    let type = Schema.object("", [world.object(0).field("spec"), world.object(0).field("status")])
    let fields = FieldManager(schema: type, apiVersion: "v1")
    for _ in 0..<10 {
      await Task.yield()
      var object: JSONValue?
      var managed = ManagedFields()
      var clock = Timestamp(seconds: 1_000_000)
      for _ in 0..<8 {
        clock = clock + .seconds(1)
        let manager = world.generator.pick(["a", "b", "c"])
        if let old = object, world.generator.chance(3) {
          let subresource = world.generator.pick(["", "status"])
          // A server lets a write through its path change only what belongs to it.
          let member = subresource.isEmpty ? "spec" : "status"
          var new = old
          new[member] = world.value(type)[member]
          managed = fields.update(from: old, to: new, managed: managed, manager: manager, subresource: subresource, now: clock)
          let again = fields.update(from: new, to: new, managed: managed, manager: "z", now: clock + .seconds(5))
          #expect(again == managed)
          object = new
        } else {
          let applied = world.value(type)
          var result: (object: JSONValue, managed: ManagedFields)
          do throws(ApplyConflict) {
            result = try fields.apply(applied, to: object, managed: managed, manager: manager, force: false, now: clock)
          } catch {
            #expect(!error.conflicts.isEmpty && error.conflicts.allSatisfy { $0.manager != manager || $0.operation == .update })
            result = try fields.apply(applied, to: object, managed: managed, manager: manager, force: true, now: clock)
          }
          let again = try fields.apply(
            applied, to: result.object, managed: result.managed, manager: manager, force: false, now: clock + .seconds(5))
          if world.isPlain {
            let text = "\(applied.text) on \(object?.text ?? "") \(managed.compact?.text ?? "") gave \(result.object.text)"
            #expect(again.object == result.object && again.managed == result.managed, "\(text)")
            let wanted = FieldSet(of: applied, type).subtractingTrees(FieldSet([[.field("status")]]))
            for path in wanted.paths { #expect(Self.exists(path[...], in: result.object), "\(path.text) was applied") }
          } else {
            // As with Kubernetes it may take some more: the place of an empty keyed list has no owner until `before-first-apply` has it.
            var states = [again]
            for number in 2...4 {
              let last = states[states.count - 1]
              states.append(
                try fields.apply(
                  applied, to: last.object, managed: last.managed, manager: manager, force: false, now: clock + .seconds(5 * number)))
            }
            #expect(states[3].object == states[2].object && states[3].managed == states[2].managed)
          }
          (object, managed) = result
        }
        for entry in managed.entries {
          #expect(!entry.fields.isEmpty)
          for path in entry.fields.paths where world.isPlain {
            #expect(Self.exists(path[...], in: object ?? .null), "\(entry.manager) has \(path.text) of \(object?.text ?? "")")
          }
        }
      }
    }
  }

  @Test("Two who force until neither changes anything come to rest when they want the same", arguments: 0..<20)
  func convergence(seed: Int) async throws {
    var world = World(generator: SeededGenerator(seed: 1_000 + UInt64(seed)))
    let type = Schema.object("", [world.object(0).field("spec")])
    let fields = FieldManager(schema: type, apiVersion: "v1")
    for _ in 0..<30 {
      await Task.yield()
      let (first, second) = (world.value(type), world.value(type))
      let now = Timestamp(seconds: 1)
      var state = try fields.apply(first, to: nil, managed: ManagedFields(), manager: "a", force: true, now: now)
      state = try fields.apply(second, to: state.object, managed: state.managed, manager: "b", force: true, now: now)
      // Both want what the second wants: no conflict, and what only the first wanted is gone.
      state = try fields.apply(second, to: state.object, managed: state.managed, manager: "a", force: false, now: now)
      let alone = try fields.apply(second, to: nil, managed: ManagedFields(), manager: "b", force: false, now: now)
      #expect(FieldSet(of: state.object, type) == FieldSet(of: alone.object, type), "\(first.text) \(second.text)")
      let last = try fields.apply(second, to: state.object, managed: state.managed, manager: "b", force: false, now: now)
      #expect(last.object == state.object && last.managed == state.managed)
    }
  }
}
