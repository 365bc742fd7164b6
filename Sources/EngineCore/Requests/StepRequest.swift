internal import JSON
internal import OrderedCollections

/// Steps in a body.
enum StepRequest {
  static let maximumSteps = 200

  /// The member `steps`; empty when absent. - Throws: 422 with the step's path.
  static func steps(_ fields: inout FieldReader) throws(EngineError) -> [StepSpec] {
    guard let value = fields.value("steps") else { return [] }
    guard value.kind == .array else { throw .invalid("steps", "must be an array, not \(value.kind.rawValue)") }
    guard value.count <= maximumSteps else { throw .invalid("steps", "has \(value.count) steps, more than \(maximumSteps)") }
    var steps: [StepSpec] = []
    var names: Set<String> = []
    for element in value.elements {
      let path = "steps[\(steps.count)]"
      var reader = try FieldReader(element, path: path)
      var step = StepSpec(name: try reader.string("name", maximum: 253) ?? "")
      guard !step.name.isEmpty else { throw .invalid("\(path).name", "is needed") }
      guard step.name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
        throw .invalid("\(path).name", "holds a control character")
      }
      guard names.insert(step.name).inserted else { throw .invalid("\(path).name", "\"\(step.name)\" is the name of an earlier step") }
      step.image = try reader.string("image")
      step.command = try reader.strings("command")
      step.args = try reader.strings("args")
      step.env = try reader.map("env")
      try reader.finish()
      guard let program = step.command.first ?? step.args.first else {
        throw .invalid("\(path).command", "command or args are needed: this engine runs local processes, not an image's entry point")
      }
      guard !program.isEmpty else { throw .invalid("\(path).command[0]", "is empty") }
      for name in step.env.keys where name.isEmpty || name.contains("=") {
        throw .invalid("\(path).env", "\"\(name)\" is no name of an environment variable")
      }
      steps.append(step)
    }
    return steps
  }
}
