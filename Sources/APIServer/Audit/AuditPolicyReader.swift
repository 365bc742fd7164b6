internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import YAMLText

/// Reads an audit policy and checks all of it: whatever is wrong is found at the start, at once, with its place.
package struct AuditPolicyReader {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// One per problem: `FILE:LINE: FIELD: what is wrong`.
    package let problems: [String]
    package var description: String { problems.joined(separator: "\n") }
  }

  private let file: String
  private let text: String
  private var problems: [String] = []

  /// - Parameter file: for messages.
  /// - Throws: every problem of the file.
  package static func read(_ bytes: [UInt8], file: String) throws(Failure) -> AuditPolicy {
    let document: JSONValue
    do throws(YAMLText.Failure) {
      document = try YAMLText.json(bytes)
    } catch {
      throw Failure(problems: ["\(file): \(error)"])
    }
    var reader = AuditPolicyReader(file: file, text: String(decoding: bytes, as: UTF8.self))
    let policy = reader.policy(document)
    guard reader.problems.isEmpty else { throw Failure(problems: reader.problems) }
    return policy
  }

  private init(file: String, text: String) {
    self.file = file
    self.text = text
  }

  // MARK: The document

  private mutating func policy(_ document: JSONValue) -> AuditPolicy {
    let root = Path()
    guard let members = document.object else {
      report(root, "must be an object of kind Policy")
      return AuditPolicy(rules: [])
    }
    checkNames(members, ["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"], root)
    if members["apiVersion"] != "audit.k8s.io/v1" {
      report(root["apiVersion"], "Unsupported value: \(shown(members["apiVersion"])): supported values: \"audit.k8s.io/v1\"")
    }
    if members["kind"] != "Policy" {
      report(root["kind"], "Unsupported value: \(shown(members["kind"])): supported values: \"Policy\"")
    }
    var rules: [AuditPolicy.Rule] = []
    let path = root["rules"]
    switch members["rules"] {
    case nil, .null: report(path, "Required value: a policy without rules audits nothing")
    case .array(let list):
      if list.isEmpty { report(path, "Required value: a policy without rules audits nothing") }
      for (index, value) in list.enumerated() { rules.append(rule(value, path[index])) }
    default: report(path, "must be a list")
    }
    var policy = AuditPolicy(rules: rules)
    policy.omitStages = stages(members["omitStages"], root["omitStages"])
    policy.omitManagedFields = bool(members["omitManagedFields"], root["omitManagedFields"]) ?? false
    return policy
  }

  private mutating func rule(_ value: JSONValue, _ path: Path) -> AuditPolicy.Rule {
    var rule = AuditPolicy.Rule(.none)
    guard let members = value.object else {
      report(path, "must be an object")
      return rule
    }
    checkNames(
      members,
      [
        "level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages", "omitManagedFields",
      ], path)
    switch members["level"]?.string.flatMap(AuditLevel.init(rawValue:)) {
    case let level?: rule.level = level
    case nil where members["level"] == nil || members["level"] == "": report(path["level"], "Required value")
    case nil: report(path["level"], unsupported(members["level"], AuditLevel.allCases.map(\.rawValue)))
    }
    rule.users = texts(members["users"], path["users"])
    rule.userGroups = texts(members["userGroups"], path["userGroups"])
    rule.verbs = texts(members["verbs"], path["verbs"])
    rule.namespaces = texts(members["namespaces"], path["namespaces"])
    rule.omitStages = stages(members["omitStages"], path["omitStages"])
    rule.omitManagedFields = bool(members["omitManagedFields"], path["omitManagedFields"])
    rule.resources = resources(members["resources"], path["resources"])
    rule.nonResourceURLs = urls(members["nonResourceURLs"], path["nonResourceURLs"])
    if !rule.nonResourceURLs.isEmpty, !rule.resources.isEmpty || !rule.namespaces.isEmpty {
      report(path["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs")
    }
    return rule
  }

  private mutating func resources(_ value: JSONValue?, _ path: Path) -> [AuditPolicy.GroupResources] {
    list(value, path).enumerated().map { index, value in
      let path = path[index]
      var entry = AuditPolicy.GroupResources()
      guard let members = value.object else {
        report(path, "must be an object")
        return entry
      }
      checkNames(members, ["group", "resources", "resourceNames"], path)
      entry.group = string(members["group"], path["group"]) ?? ""
      entry.resources = texts(members["resources"], path["resources"])
      entry.resourceNames = texts(members["resourceNames"], path["resourceNames"])
      if !entry.group.isEmpty, entry.group != "*", !Names.isDNS1123Subdomain(entry.group) {
        report(path["group"], "Invalid value: \(GoText.quoted(entry.group)): must be an API group without a version, a DNS subdomain")
      }
      if !entry.resourceNames.isEmpty, entry.resources.isEmpty {
        report(path["resourceNames"], "using resourceNames requires at least one resource")
      }
      return entry
    }
  }

  private mutating func urls(_ value: JSONValue?, _ path: Path) -> [String] {
    let urls = texts(value, path)
    for (index, url) in urls.enumerated() where url != "*" {
      if !url.hasPrefix("/") {
        report(path[index], "Invalid value: \(GoText.quoted(url)): non-resource URL rules must begin with a '/' character")
      }
      if url.dropLast().contains("*") {
        report(path[index], "Invalid value: \(GoText.quoted(url)): non-resource URL wildcards '*' must be the final character of the rule")
      }
    }
    return urls
  }

  private mutating func stages(_ value: JSONValue?, _ path: Path) -> Set<AuditStage> {
    var stages: Set<AuditStage> = []
    for (index, text) in texts(value, path).enumerated() {
      if let stage = AuditStage(rawValue: text) {
        stages.insert(stage)
      } else {
        report(path[index], unsupported(.string(text), AuditStage.allCases.map(\.rawValue)))
      }
    }
    return stages
  }

  // MARK: Values

  private mutating func list(_ value: JSONValue?, _ path: Path) -> [JSONValue] {
    switch value {
    case nil, .null: return []
    case .array(let list): return list
    default:
      report(path, "must be a list")
      return []
    }
  }

  private mutating func texts(_ value: JSONValue?, _ path: Path) -> [String] {
    list(value, path).enumerated().map { index, value in string(value, path[index]) ?? "" }
  }

  private mutating func string(_ value: JSONValue?, _ path: Path) -> String? {
    switch value {
    case nil, .null: return nil
    case .string(let text): return text
    default:
      report(path, "must be a text; put it in quotes")
      return nil
    }
  }

  private mutating func bool(_ value: JSONValue?, _ path: Path) -> Bool? {
    switch value {
    case nil, .null: return nil
    case .bool(let flag): return flag
    default:
      report(path, "must be true or false")
      return nil
    }
  }

  private mutating func checkNames(_ members: JSONObject, _ known: [String], _ path: Path) {
    for name in members.keys where !known.contains(name) {
      report(path[name], "unknown field; known are \(known.joined(separator: ", "))")
    }
  }

  private func shown(_ value: JSONValue?) -> String { (value ?? "").text }

  private func unsupported(_ value: JSONValue?, _ allowed: [String]) -> String {
    "Unsupported value: \(shown(value)): supported values: \(allowed.map(GoText.quoted).joined(separator: ", "))"
  }

  // MARK: Places

  private struct Path {
    var steps: [YAMLText.Step] = []

    subscript(_ name: String) -> Path { Path(steps: steps + [.member(name)]) }
    subscript(_ index: Int) -> Path { Path(steps: steps + [.element(index)]) }

    var text: String {
      steps.reduce("") { text, step in
        switch step {
        case .member(let name): text.isEmpty ? name : "\(text).\(name)"
        case .element(let index): "\(text)[\(index)]"
        }
      }
    }
  }

  private mutating func report(_ path: Path, _ problem: String) {
    let line = YAMLText.line(of: path.steps, in: text).map { ":\($0)" } ?? ""
    problems.append("\(file)\(line): \(path.text.isEmpty ? "" : path.text + ": ")\(problem)")
  }
}
