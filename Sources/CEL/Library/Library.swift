/// The functions and types that every environment starts with.
enum Library {
  static let functions: [String: [CELFunction]] = {
    var all: [String: [CELFunction]] = [:]
    for function in standard + strings + times + optionals + sets + lists + math + encoders + network + kubernetes + authorization + formats
    {
      all[function.name, default: []].append(function)
    }
    return all
  }()

  static let typeNames: [String: CELType] = {
    var names: [String: CELType] = [:]
    for type in [
      CELType.null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .type, .list(.dyn), .map(.dyn, .dyn),
      .optional(.dyn),
    ] {
      names[type.name] = type
    }
    for name in ["net.IP", "net.CIDR", "kubernetes.URL", "kubernetes.Quantity", "kubernetes.Semver"] { names[name] = .abstract(name) }
    return names
  }()

  /// Both `f(x, …)` and `x.f(…)`.
  static func both(_ function: CELFunction) -> [CELFunction] {
    let twin = CELFunction(
      function.name, member: !function.member, parameters: function.parameters, result: function.result, cost: function.cost,
      function.implementation)
    return [function, twin]
  }

  /// A type that int, uint and double fit; only in declarations of this library.
  static let number = CELType.abstract("@number")
  static let A = CELType.parameter("A")
  static let B = CELType.parameter("B")

  // The arguments fit the parameters when these are called.

  static func text(_ value: CELValue) -> String { value.string ?? "" }
  static func int(_ value: CELValue) -> Int64 { value.int ?? 0 }
}
