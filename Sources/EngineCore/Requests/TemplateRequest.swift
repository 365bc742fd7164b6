internal import JSON

/// The body of a PUT of a template, or a file of `--templates`.
enum TemplateRequest {
  /// - Throws: 422 with the field.
  static func template(_ body: JSONView, name: String?, now: Timestamp) throws(EngineError) -> Template {
    var fields = try FieldReader(body)
    let given = try fields.string("name", maximum: 253)
    if let name, let given, name != given { throw .invalid("name", "\"\(given)\" is not the name in the path, \"\(name)\"") }
    guard let name = name ?? given, isLegal(name) else {
      throw .invalid("name", "must be 1 to 253 letters, digits, '-', '_' or '.'")
    }
    let description = try fields.string("description", maximum: 64 << 10)
    let parameters = try fields.object("parameters")
    let steps = try StepRequest.steps(&fields)
    let timeout = try fields.int("timeout", in: JobRequest.timeouts)
    try fields.finish()
    if steps.isEmpty { throw .invalid("steps", "at least one step is needed") }
    try ParameterSchema(parameters).checkSelf()
    return Template(
      name: name, description: description, parameters: parameters, steps: steps, timeoutSeconds: timeout, updatedAt: now)
  }

  static func isLegal(_ name: String) -> Bool {
    1...253 ~= name.utf8.count && name != "." && name != ".."
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
      }
  }
}
