import CEL
import OrderedCollections

/// One test of the conformance data.
struct ConformanceCase {
  enum Outcome: Equatable { case passed, outOfScope, failed(String) }

  let name: String
  let expr: String
  private let proto: TextProto

  init(section: String, _ proto: TextProto) {
    self.proto = proto
    name = "\(section)/\(proto["name"]?.string ?? "")"
    expr = proto["expr"]?.string ?? ""
  }

  private struct OutOfScope: Error {}

  /// Protobuf messages, `Any` and enums are out of scope. A case needs them when
  /// - it runs in a protobuf package (its container), or names one other than Timestamp and Duration in its expression,
  /// - a variable, an expected value or type is of a message or an enum other than those two,
  /// - the expression makes a message, which the compiler refuses with a message of its own, or
  /// - it expects unknown values, which belong to partial evaluation.
  func run() -> Outcome {
    do {
      try checkScope()
      return try evaluate()
    } catch is OutOfScope {
      return .outOfScope
    } catch {
      return .failed("\(error)")
    }
  }

  private func checkScope() throws {
    let container = proto["container"]?.string ?? ""
    if container.hasPrefix("cel.expr.conformance.proto") || container.hasPrefix("google.protobuf") { throw OutOfScope() }
    if proto["unknown"] != nil || proto["any_unknowns"] != nil { throw OutOfScope() }
    if expr.contains("cel.expr.conformance.") { throw OutOfScope() }
    let plain = expr.replacing("google.protobuf.Timestamp", with: "").replacing("google.protobuf.Duration", with: "")
    if plain.contains("google.protobuf.") { throw OutOfScope() }
  }

  private func evaluate() throws -> Outcome {
    var environment = CELEnvironment()
    environment.container = proto["container"]?.string ?? ""
    environment.allowsBlocks = true
    for declaration in proto.all("type_env") {
      let name = declaration["name"]!.string
      if let type = declaration["ident"]?["type"] { environment.declare(name, try Self.type(type)) }
      for overload in declaration["function"]?.all("overloads") ?? [] {
        let parameters = try overload.all("params").map(Self.type)
        let result = try Self.type(overload["result_type"]!)
        environment.register(
          CELFunction(name, member: overload["is_instance_function"] != nil, parameters: parameters, result: result) { _ throws(CELError) in
            .null
          })
      }
    }
    var variables = CELVariables()
    for binding in proto.all("bindings") {
      let name = binding["key"]!.string
      variables[name] = try Self.value(binding["value"]!["value"]!)
      if !proto.all("type_env").contains(where: { $0["name"]?.string == name }) { environment.declare(name, .dyn) }
    }
    let expectsError = proto["eval_error"] != nil || proto["any_eval_errors"] != nil
    let program: CELProgram
    do {
      program = try CELProgram(expr, environment: environment, checked: proto["disable_check"]?.string != "true")
    } catch {
      if error.message.contains("message types are not supported") { throw OutOfScope() }
      return expectsError ? .passed : .failed("does not compile: \(error.message)")
    }
    if let expected = proto["typed_result"]?["deduced_type"] {
      let type = try Self.type(expected)
      guard program.type == type else { return .failed("deduced \(program.type), expected \(type)") }
    }
    if proto["check_only"]?.string == "true" { return .passed }
    let expected: CELValue?
    if expectsError {
      expected = nil
    } else if let value = proto["value"] ?? proto["typed_result"]?["result"] {
      expected = try Self.value(value)
    } else {
      expected = .bool(true)
    }
    do {
      let value = try program.evaluate(variables)
      guard let expected else { return .failed("\(value) instead of an error") }
      return Self.same(value, expected) ? .passed : .failed("\(value) instead of \(expected)")
    } catch {
      return expectsError ? .passed : .failed(error.message)
    }
  }

  // MARK: Values and types

  private static func value(_ proto: TextProto) throws -> CELValue {
    guard let (kind, content) = proto.fields.first.map({ ($0.name, $0.value) }) else { throw OutOfScope() }
    switch kind {
    case "null_value": return .null
    case "bool_value": return .bool(content.string == "true")
    case "int64_value": return .int(try number(content) { Int64($0) })
    case "uint64_value": return .uint(try number(content) { UInt64($0) })
    case "double_value": return .double(try number(content) { Double($0) })
    case "string_value": return .string(content.string)
    case "bytes_value": return .bytes(content.raw)
    case "list_value": return .list(try content.all("values").map(value))
    case "map_value":
      var entries = CELMap.Entries()
      for entry in content.all("entries") {
        let key = entry["key"]!.fields[0]
        let name: CELKey =
          switch key.name {
          case "bool_value": .bool(key.value.string == "true")
          case "int64_value": .int(Int64(key.value.string)!)
          case "uint64_value": .uint(UInt64(key.value.string)!)
          default: .string(key.value.string)
          }
        entries[name] = try value(entry["value"]!)
      }
      return .map(CELMap(entries))
    case "type_value":
      if content.string.hasPrefix("cel.expr.")
        || content.string.contains("protobuf.") && !["google.protobuf.Timestamp", "google.protobuf.Duration"].contains(content.string)
      {
        throw OutOfScope()
      }
      let names = try CELProgram(content.string, environment: CELEnvironment()).evaluate(CELVariables())
      return names
    case "object_value":
      guard let object = content.fields.first else { throw OutOfScope() }
      let seconds = Int64(object.value["seconds"]?.string ?? "0")!
      let nanos = Int64(object.value["nanos"]?.string ?? "0")!
      switch object.name {
      case "[type.googleapis.com/google.protobuf.Duration]": return .duration(CELDuration(seconds: seconds, nanoseconds: nanos)!)
      case "[type.googleapis.com/google.protobuf.Timestamp]": return .timestamp(CELTimestamp(seconds: seconds, nanoseconds: Int32(nanos))!)
      default: throw OutOfScope()
      }
    default: throw OutOfScope()
    }
  }

  private static func number<N>(_ proto: TextProto, _ read: (String) -> N?) throws -> N {
    guard let number = read(proto.string) else { throw TextProto.Failure(message: "'\(proto.string)' is no number") }
    return number
  }

  private static func type(_ proto: TextProto) throws -> CELType {
    guard let (kind, content) = proto.fields.first.map({ ($0.name, $0.value) }) else { return .dyn }
    func primitive(_ name: String) -> CELType {
      switch name {
      case "BOOL": .bool
      case "INT64": .int
      case "UINT64": .uint
      case "DOUBLE": .double
      case "STRING": .string
      default: .bytes
      }
    }
    switch kind {
    case "dyn": return .dyn
    case "null": return .null
    case "primitive": return primitive(content.string)
    case "wrapper": return .nullable(primitive(content.string))
    case "well_known":
      switch content.string {
      case "DURATION": return .duration
      case "TIMESTAMP": return .timestamp
      default: throw OutOfScope()
      }
    case "list_type": return .list(try content["elem_type"].map(type) ?? .dyn)
    case "map_type": return .map(try content["key_type"].map(type) ?? .dyn, try content["value_type"].map(type) ?? .dyn)
    case "abstract_type":
      let parameters = try content.all("parameter_types").map(type)
      return content["name"]!.string == "optional_type" ? .optional(parameters[0]) : .abstract(content["name"]!.string, parameters)
    case "type_param": return .parameter(content.string)
    case "type": return .type
    case "message_type":
      switch content.string {
      case "google.protobuf.Duration": return .duration
      case "google.protobuf.Timestamp": return .timestamp
      default: throw OutOfScope()
      }
    default: throw OutOfScope()
    }
  }

  /// The same value of the same type; unlike `==`, 1 is not 1.0, and NaN is NaN.
  private static func same(_ a: CELValue, _ b: CELValue) -> Bool {
    switch (a, b) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.int(let a), .int(let b)): return a == b
    case (.uint(let a), .uint(let b)): return a == b
    case (.double(let a), .double(let b)): return a == b && a.sign == b.sign || a.isNaN && b.isNaN
    case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
    case (.bytes(let a), .bytes(let b)): return a == b
    case (.timestamp(let a), .timestamp(let b)): return a == b
    case (.duration(let a), .duration(let b)): return a == b
    case (.type(let a), .type(let b)): return a == b
    case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
    case (.map(let a), .map(let b)):
      return a.entries.count == b.entries.count && a.entries.allSatisfy { key, value in b.entries[key].map { same(value, $0) } ?? false }
    default: return false
    }
  }
}
