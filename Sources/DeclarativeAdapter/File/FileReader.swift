internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

/// Turns the tree of a file into an ``AdapterFile`` and collects everything that is wrong with it.
final class FileReader {
  let problems: Problems
  /// What every expression can use: settings, scope, members, backend, now.
  var base = Declarations(functions: HostFunctions.all)
  var defaultTimeout: Duration = .seconds(30)
  var defaultPageSize = 100

  init(file: String) { problems = Problems(file: file) }

  static let topLevel = [
    "format", "name", "version", "engine", "description", "testedWith", "settings", "scope", "credentials", "defaults", "limits", "auth",
    "traits",
    "errors", "health", "runs", "schedules", "templates", "parent", "overlay", "marks", "log", "examples",
  ]

  /// nil when something needed is missing; then `problems` says what.
  func read(_ root: YAMLNode) -> AdapterFile? {
    let top = Fields(root, problems, allowed: Self.topLevel)
    if let node = top.required("format"), node.scalar != .int(1) { problems.add(node.place, "must be 1, the only format that there is") }
    let name = top.text("name", required: true)
    let version = top.text("version", required: true)
    let engine = top.text("engine", required: true)
    var settings = ValueSchema()
    settings.kind = .object
    var scope = settings
    if let node = top["settings"] { settings = readSchema(node) }
    let scopeFields = top["scope"].map { Fields($0, problems, allowed: ["properties", "required", "resolve", "contains"]) }
    if let fields = scopeFields, let node = fields["properties"] {
      var entries = [YAMLNode.Entry(name: "properties", line: node.place.line, column: node.place.column, value: node)]
      if let node = fields["required"] {
        entries.append(YAMLNode.Entry(name: "required", line: node.place.line, column: node.place.column, value: node))
      }
      scope = readSchema(YAMLNode(content: .mapping(entries), place: fields.place))
    }
    base = base.adding([
      "settings": VariableTypes.type(of: settings, name: "settings"), "scope": VariableTypes.type(of: scope, name: "scope"),
      "backend": VariableTypes.backend, "now": .string,
    ])
    let defaults = top["defaults"].map { Fields($0, problems, allowed: ["headers", "timeout", "pageSize", "maximumResponseBytes"]) }
    defaultTimeout = defaults?.duration("timeout") ?? .seconds(30)
    defaultPageSize = defaults?.int("pageSize", 1...10_000) ?? 100
    let headers = compiler(base).members(defaults?["headers"])
    let credentials = readCredentials(top["credentials"])
    let auth = readAuth(top["auth"], credentials)
    let scopeRules = readScopeRules(scopeFields)
    let errors = top["errors"].map { Fields($0, problems, allowed: ["message", "rules"]) }
    let errorScope = base.adding("response", VariableTypes.response)
    let errorMessage = compiler(errorScope).value(errors?["message"])
    let rules = readErrorRules(errors?["rules"], base)
    let health = top.required("health").flatMap { readHealth($0) }
    let marks = top["marks"].flatMap { readMarks($0) }
    let runs = top.required("runs").flatMap { readBlock($0, isSchedule: false) }
    let schedules = top["schedules"].flatMap { readBlock($0, isSchedule: true) }
    let templates = top["templates"].flatMap { readTemplates($0) }
    let parent = top["parent"].flatMap { readChain($0, base.adding("key", VariableTypes.key), extra: [])?.chain }
    let overlay = top["overlay"].flatMap { readOverlay($0) }
    let log = top["log"].flatMap { readLog($0) }
    let examples = readExamples(top["examples"])
    var traits = readTraits(top["traits"])
    if runs?.submitSteps == nil, let inline = traits.inlineSteps {
      problems.add(inline.place, "says that inline steps run, but there is no runs.submit.steps")
      traits.inlineSteps = nil
    }
    guard problems.list.isEmpty, let name, let version, let engine, let health, let runs else { return nil }
    return AdapterFile(
      file: problems.file, name: name, version: version, engine: engine, description: top.text("description") ?? "",
      testedWith: top.texts("testedWith") ?? [], settingsSchema: settings, scopeSchema: scope, credentials: credentials, traits: traits,
      limits: readLimits(top["limits"]), auth: auth, scopeRules: scopeRules, errorMessage: errorMessage, errors: rules,
      maximumResponseBytes: defaults?.int("maximumResponseBytes", 1024...1 << 30) ?? 64 << 20, headers: headers, health: health, runs: runs,
      schedules: schedules, templates: templates, parent: parent, overlay: overlay, marks: marks, log: log, examples: examples)
  }

  func compiler(_ declarations: Declarations) -> TemplateCompiler { TemplateCompiler(declarations, problems) }

  private func readSchema(_ node: YAMLNode) -> ValueSchema {
    var schema = ValueSchema(node, problems)
    if schema.kind != .object { schema.kind = .object }
    return schema
  }

  private func readCredentials(_ node: YAMLNode?) -> [AdapterFile.Credential] {
    guard let node else { return [] }
    guard let entries = node.entries else {
      problems.add(node.place, "must be a mapping of names to descriptions")
      return []
    }
    return entries.map { entry in
      if let text = entry.value.scalar?.string {
        return AdapterFile.Credential(name: entry.name, description: text, optional: false, secret: true)
      }
      let fields = Fields(entry.value, problems, allowed: ["description", "optional", "secret"])
      return AdapterFile.Credential(
        name: entry.name, description: fields.text("description") ?? "", optional: fields.flag("optional") ?? false,
        secret: fields.flag("secret") ?? true)
    }
  }

  private func readScopeRules(_ fields: Fields?) -> ScopeRules {
    var rules = ScopeRules()
    guard let fields else { return rules }
    if let node = fields["resolve"], let (chain, own, results) = readChain(node, base, extra: ["value", "keep"]) {
      if let value = compiler(results).value(own.required("value")) { rules.resolve = (chain, value, own.duration("keep") ?? .seconds(30)) }
      base = base.adding("members", .dyn)
    }
    rules.contains = compiler(base.adding(["template": .nullable(.string), "parent": .string])).condition(fields["contains"])
    return rules
  }

  private func readTraits(_ node: YAMLNode?) -> AdapterFile.Traits {
    var traits = AdapterFile.Traits()
    guard let node else { return traits }
    let fields = Fields(
      node, problems, allowed: ["submissionKeys", "enforcesTimeout", "inlineSteps", "listReach", "submitDeadline", "limitations"])
    if let word = fields.text("submissionKeys") {
      if let keys = SubmissionKeys(rawValue: word) {
        traits.submissionKeys = keys
      } else {
        problems.add(fields.place(of: "submissionKeys"), "must be one of enforced, enforcedForever, searchable, none, not '\(word)'")
      }
    }
    traits.enforcesTimeout = fields.flag("enforcesTimeout") ?? false
    traits.inlineSteps = compiler(base).condition(fields["inlineSteps"])
    if let reach = fields["listReach"].map({ Fields($0, problems, allowed: ["rows", "age"]) }) {
      traits.listReachRows = reach.int("rows", 1...Int.max)
      traits.listReachAge = reach.duration("age")
    }
    traits.submitDeadline = fields.duration("submitDeadline") ?? .seconds(60)
    if let node = fields["limitations"] {
      let limitations = Fields(
        node, problems,
        allowed: [
          "schedule", "inlineSteps", "cancel", "delete", "retry", "suspend", "setState", "overlay", "changes", "templates", "log",
          "timeout",
          "images",
        ])
      for entry in node.entries ?? [] { traits.limitations[entry.name] = limitations.text(entry.name) }
    }
    return traits
  }

  private func readLimits(_ node: YAMLNode?) -> LimitHints {
    guard let node else { return LimitHints() }
    let fields = Fields(node, problems, allowed: ["concurrentRequests", "concurrentWrites", "requestsPerSecond"])
    let compiler = compiler(base)
    return LimitHints(
      concurrentRequests: compiler.value(fields["concurrentRequests"]), concurrentWrites: compiler.value(fields["concurrentWrites"]),
      requestsPerSecond: compiler.value(fields["requestsPerSecond"]))
  }

  private func readHealth(_ node: YAMLNode) -> HealthOperation? {
    guard let (chain, fields, results) = readChain(node, base, extra: ["version", "message"]) else { return nil }
    let compiler = compiler(results)
    return HealthOperation(chain: chain, version: compiler.value(fields["version"]), message: compiler.value(fields["message"]))
  }

  private func readAuth(_ node: YAMLNode?, _ credentials: [AdapterFile.Credential]) -> [Auth] {
    guard let node else { return [] }
    let secret = base.adding(
      "credentials",
      .object(CELSchema(name: "credentials", fields: Dictionary(uniqueKeysWithValues: credentials.map { ($0.name, CELType.string) }))))
    let ways: [YAMLNode] = node.elements ?? [node]
    return ways.map { node in
      let fields = Fields(node, problems, allowed: ["when", "none", "basic", "bearer", "headers", "login"])
      var auth = Auth(condition: compiler(base).condition(fields["when"]), headers: [], basic: nil, login: nil)
      let chosen = ["none", "basic", "bearer", "headers"].filter { fields[$0] != nil }
      if chosen.count != 1 { problems.add(node.place, "needs exactly one of none, basic, bearer, headers") }
      var sending = secret
      if let node = fields["login"],
        let (chain, own, results) = readChain(node, secret, extra: ["token", "expiresIn", "expiresAt", "renewWhen"])
      {
        let after = compiler(results)
        if let token = after.value(own.required("token")) {
          auth.login = Auth.Login(
            chain: chain, token: token, expiresIn: after.value(own["expiresIn"]), expiresAt: after.value(own["expiresAt"]),
            renew: compiler(base.adding("response", VariableTypes.response)).condition(own["renewWhen"]))
        }
        sending = secret.adding("token", .string)
      }
      let compiler = compiler(sending)
      if let node = fields["basic"] {
        let basic = Fields(node, problems, allowed: ["username", "password"])
        if let user = compiler.value(basic.required("username")), let password = compiler.value(basic.required("password")) {
          auth.basic = (user, password)
        }
      }
      if let node = fields["bearer"], case .string(let text)? = node.scalar {
        if let template = compiler.value(YAMLNode(content: .scalar(.string("Bearer " + text)), place: node.place)) {
          auth.headers = [("Authorization", template)]
        }
      } else if let node = fields["bearer"] {
        problems.add(node.place, "must be a text such as ${credentials.token}")
      }
      auth.headers += compiler.members(fields["headers"])
      return auth
    }
  }
}
