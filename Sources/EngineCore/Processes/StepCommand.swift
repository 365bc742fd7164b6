internal import JSON
internal import OrderedCollections

/// The argument list and environment of a step's process, parameters filled in.
struct StepCommand: Hashable, Sendable {
  /// Program and arguments; never empty.
  var arguments: [String]
  /// What the step adds to the engine's clean environment.
  var environment: OrderedDictionary<String, String>

  init(job: Job, step: Int) {
    let spec = job.steps[step].spec
    arguments = (spec.command + spec.args).map { Self.substitute($0, job.parameters) }
    environment = [:]
    for (name, value) in job.parameters { environment[Self.variable(name)] = Self.text(value) }
    for (name, value) in spec.env { environment[name] = Self.substitute(value, job.parameters) }
    environment["WORKFLOW_JOB_ID"] = job.id
    environment["WORKFLOW_STEP"] = spec.name
    environment["WORKFLOW_ATTEMPT"] = String(job.attempt)
  }

  /// `WORKFLOW_PARAM_` and the name in capitals, with `_` for what no variable's name may hold.
  static func variable(_ parameter: String) -> String {
    "WORKFLOW_PARAM_"
      + String(
        decoding: parameter.utf8.map { byte in
          switch byte {
          case 0x61...0x7A: byte - 0x20
          case 0x41...0x5A, 0x30...0x39: byte
          default: 0x5F
          }
        }, as: UTF8.self)
  }

  /// Strings as they are, everything else as JSON.
  static func text(_ value: JSONValue) -> String { value.string ?? value.text }

  /// Replaces `$(params.NAME)`; what names no parameter stays as it is, and `$$(` means a literal `$(`.
  static func substitute(_ text: String, _ parameters: JSONObject) -> String {
    guard text.contains("$(") else { return text }
    var out = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      out += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$$(") {
        out += "$("
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("$(params."), let end = rest.firstIndex(of: ")"), let value = parameters[String(rest[..<end].dropFirst(9))] {
        out += Self.text(value)
        rest = rest[rest.index(after: end)...]
      } else {
        out += "$"
        rest = rest.dropFirst()
      }
    }
    return out + rest
  }
}
