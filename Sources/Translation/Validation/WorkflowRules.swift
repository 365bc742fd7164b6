internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What a schema cannot say about a Workflow that is to be created: everything that can be refused before the engine is asked.
enum WorkflowRules {
  /// All faults of a spec, each with its field path.
  static func errors(spec: JSONValue) -> [FieldError] {
    var errors: [FieldError] = []
    let steps = spec["steps"]?.array
    let template = spec["templateRef"]
    switch (template, steps) {
    case (nil, nil):
      errors.append(.required("spec", "exactly one of templateRef and steps says what to run"))
    case (.some, .some):
      errors.append(.invalid("spec", "templateRef, steps", "templateRef and steps exclude each other; keep one of them"))
    case (let template?, nil):
      let name = template["name"]?.string ?? ""
      if name.isEmpty {
        errors.append(.required("spec.templateRef.name", "the name of a WorkflowTemplate of this namespace"))
      } else {
        errors += Names.subdomainErrors(name).map { .invalid("spec.templateRef.name", .string(name), $0) }
      }
    case (nil, let steps?):
      errors += stepErrors(steps)
      if let parameters = spec["parameters"]?.object, !parameters.isEmpty {
        errors.append(.forbidden("spec.parameters", "parameters belong to a templateRef; give inline steps their values in env"))
      }
    }
    if let text = spec["timeout"]?.string {
      if let timeout = GoDuration.parse(text) {
        if timeout < .seconds(1) { errors.append(.invalid("spec.timeout", .string(text), "must be at least 1s")) }
      } else {
        errors.append(.invalid("spec.timeout", .string(text), "must be a duration such as 90s, 30m or 1h30m"))
      }
    }
    if let text = spec["schedule"]?.string, let fault = CronSyntax.fault(in: text) {
      errors.append(.invalid("spec.schedule", .string(text), fault))
    }
    if spec["cancel"]?.bool == true { errors.append(.forbidden("spec.cancel", "a Workflow cannot be cancelled before it was submitted")) }
    return errors
  }

  private static func stepErrors(_ steps: [JSONValue]) -> [FieldError] {
    if steps.isEmpty { return [.required("spec.steps", "at least one step")] }
    if steps.count > 100 { return [.tooMany("spec.steps", actual: steps.count, maximum: 100)] }
    var errors: [FieldError] = []
    var names: Set<String> = []
    for (i, step) in steps.enumerated() {
      let path = "spec.steps[\(i)]"
      let name = step["name"]?.string ?? ""
      if name.isEmpty {
        errors.append(.required(path + ".name"))
      } else {
        errors += Names.labelErrors(name).map { .invalid(path + ".name", .string(name), $0) }
        if !names.insert(name).inserted { errors.append(.duplicate(path + ".name", .string(name))) }
      }
      if step["command"]?.array?.isEmpty ?? true, step["args"]?.array?.isEmpty ?? true {
        errors.append(.required(path + ".command", "the program and its arguments, for example [\"sh\", \"-c\", \"make\"]"))
      }
      var variables: Set<JSONValue> = []
      for (j, variable) in (step["env"]?.array ?? []).enumerated() {
        let name = variable["name"]?.string ?? ""
        if name.isEmpty {
          errors.append(.required("\(path).env[\(j)].name"))
        } else if name.utf8.contains(0x3D) || name.utf8.contains(0) {
          errors.append(.invalid("\(path).env[\(j)].name", .string(name), "must not contain '='"))
        } else if !variables.insert(.string(name)).inserted {
          errors.append(.duplicate("\(path).env[\(j)].name", .string(name)))
        }
      }
    }
    return errors
  }
}

/// Only the form of a cron expression; when it fires is the engine's business.
enum CronSyntax {
  private static let fields: [(name: String, range: ClosedRange<Int>, words: [String])] = [
    ("minute", 0...59, []), ("hour", 0...23, []), ("day of month", 1...31, []),
    ("month", 1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of week", 0...7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
  ]

  /// nil when the expression is good.
  static func fault(in text: String) -> String? {
    if ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"].contains(text) { return nil }
    let parts = text.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 5 else {
      return "must have five fields (minute, hour, day of month, month, day of week) or be a word such as @hourly"
    }
    for (part, field) in zip(parts, fields) {
      for item in part.split(separator: ",", omittingEmptySubsequences: false) where !isLegal(item, field.range, field.words) {
        return "\"\(item)\" is no legal \(field.name) (\(field.range.lowerBound)-\(field.range.upperBound))"
      }
    }
    return nil
  }

  private static func isLegal(_ item: Substring, _ range: ClosedRange<Int>, _ words: [String]) -> Bool {
    let halves = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if halves.count == 2 { guard let step = Int(halves[1]), step > 0 else { return false } }
    if halves[0] == "*" { return true }
    func value(_ text: Substring) -> Int? {
      words.firstIndex(of: text.lowercased()).map { $0 + range.lowerBound } ?? Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
    let ends = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(value)
    switch ends.count {
    case 1: return ends[0] != nil
    default:
      guard let low = ends[0], let high = ends[1] else { return false }
      return low <= high
    }
  }
}
