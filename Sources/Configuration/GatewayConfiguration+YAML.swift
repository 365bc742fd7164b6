internal import JSON
internal import KubeWire
internal import Yams

extension GatewayConfiguration {
  /// Reads a configuration file's text.
  ///
  /// - Parameter file: its name, for messages.
  /// - Throws: ``ConfigurationProblems`` with everything that is wrong, each with its line and the remedy.
  package init(yaml text: String, file: String) throws(ConfigurationProblems) {
    let reader = ConfigurationReader(file: file)
    do {
      if let root = try Yams.compose(yaml: text) {
        read(root, reader)
        check(reader, root)
      } else {
        reader.problem("the file is empty; it must have backends and bindings", field: "")
      }
    } catch let error as YamlError {
      reader.problem("is not YAML: \(Self.line(error))", field: "")
    } catch {
      reader.problem("is not YAML: \(error)", field: "")
    }
    if !reader.problems.isEmpty { throw ConfigurationProblems(problems: reader.problems) }
  }

  private static func line(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      "line \(mark.line), column \(mark.column): \(problem)"
    default: "\(error)"
    }
  }

  private mutating func read(_ root: Node, _ reader: ConfigurationReader) {
    let members = reader.mapping(
      root, field: "", known: ["apiVersion", "kind", "group", "envelopeSigningKeyFiles", "backends", "bindings"])
    if let group = reader.string(members["group"], field: "group") { self.group = group }
    for (i, node) in reader.sequence(members["envelopeSigningKeyFiles"], field: "envelopeSigningKeyFiles").enumerated() {
      if let file = reader.string(node, field: "envelopeSigningKeyFiles[\(i)]") { envelopeSigningKeyFiles.append(file) }
    }
    if members["backends"] == nil { reader.problem("is missing; name at least one engine", field: "backends", at: root) }
    for (i, node) in reader.sequence(members["backends"], field: "backends").enumerated() {
      backends.append(Self.backend(node, "backends[\(i)]", reader))
    }
    for (i, node) in reader.sequence(members["bindings"], field: "bindings").enumerated() {
      bindings.append(Self.binding(node, "bindings[\(i)]", reader))
    }
  }

  private static func backend(_ node: Node, _ field: String, _ reader: ConfigurationReader) -> Backend {
    let members = reader.mapping(node, field: field, known: ["name", "adapter", "url", "settings", "credentials", "transport", "budget"])
    var url = reader.required(
      members["url"], field: field + ".url", of: node, remedy: "give the engine's base URL, for example http://127.0.0.1:8080")
    while url.hasSuffix("/") { url.removeLast() }
    if !url.isEmpty, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
      reader.problem("\"\(url)\" must begin with http:// or https://", field: field + ".url", at: members["url"])
    }
    if url.dropFirst(8).contains("@") {
      reader.problem("must not hold a user or password; use credentials", field: field + ".url", at: members["url"])
    }
    var backend = Backend(
      name: reader.required(members["name"], field: field + ".name", of: node, remedy: "give the backend a name"),
      adapter: reader.required(
        members["adapter"], field: field + ".adapter", of: node, remedy: "name an adapter, for example local or airflow"),
      url: url, place: reader.place(node))
    if let settings = members["settings"] { backend.settings = reader.json(settings) }
    if let credentials = members["credentials"] {
      guard case .mapping(let mapping) = credentials else {
        reader.problem("must map names to {file: …} or {env: …}", field: field + ".credentials", at: credentials)
        return backend
      }
      for (key, value) in mapping {
        guard let name = key.string else { continue }
        let place = "\(field).credentials.\(name)"
        if case .scalar = value {
          reader.problem("secrets do not belong into this file; write {file: PATH} or {env: NAME}", field: place, at: value)
          continue
        }
        let source = reader.mapping(value, field: place, known: ["file", "env"])
        switch (reader.string(source["file"], field: place + ".file"), reader.string(source["env"], field: place + ".env")) {
        case (let file?, nil): backend.credentials[name] = .file(file)
        case (nil, let variable?): backend.credentials[name] = .environment(variable)
        default: reader.problem("needs exactly one of file and env", field: place, at: value)
        }
      }
    }
    if let transport = members["transport"] { backend.transport = Self.transport(transport, field + ".transport", reader) }
    if let budget = members["budget"] {
      let members = reader.mapping(budget, field: field + ".budget", known: ["requestsPerSecond", "maxConcurrentRequests"])
      if let value = reader.double(members["requestsPerSecond"], field: field + ".budget.requestsPerSecond") {
        backend.budget.requestsPerSecond = value
      }
      if let value = reader.int(members["maxConcurrentRequests"], field: field + ".budget.maxConcurrentRequests", 1...1000) {
        backend.budget.maxConcurrentRequests = value
      }
    }
    return backend
  }

  private static func transport(_ node: Node, _ field: String, _ reader: ConfigurationReader) -> Transport {
    let members = reader.mapping(
      node, field: field,
      known: ["caFile", "clientCertificateFile", "clientKeyFile", "proxy", "noProxy", "unixSocketPath", "insecureSkipTLSVerify"])
    var transport = Transport()
    transport.caFile = reader.string(members["caFile"], field: field + ".caFile")
    transport.clientCertificateFile = reader.string(members["clientCertificateFile"], field: field + ".clientCertificateFile")
    transport.clientKeyFile = reader.string(members["clientKeyFile"], field: field + ".clientKeyFile")
    transport.proxy = reader.string(members["proxy"], field: field + ".proxy")
    transport.noProxy = reader.string(members["noProxy"], field: field + ".noProxy")
    transport.unixSocketPath = reader.string(members["unixSocketPath"], field: field + ".unixSocketPath")
    transport.insecureSkipTLSVerify = reader.bool(members["insecureSkipTLSVerify"], field: field + ".insecureSkipTLSVerify") ?? false
    return transport
  }

  private static func binding(_ node: Node, _ field: String, _ reader: ConfigurationReader) -> Binding {
    let members = reader.mapping(
      node, field: field,
      known: [
        "name", "backend", "namespace", "scope", "access", "deletionPolicy", "inlineSteps", "requireUseVerb", "disabled", "poll", "window",
      ])
    let backend = reader.required(members["backend"], field: field + ".backend", of: node, remedy: "name one of backends")
    let namespace = reader.required(
      members["namespace"], field: field + ".namespace", of: node, remedy: "name the Kubernetes namespace in which the runs appear")
    if !namespace.isEmpty, !Names.isDNS1123Label(namespace) {
      reader.problem(
        "\"\(namespace)\" cannot be a namespace's name; it takes at most 63 of a-z, 0-9 and '-', with a letter or digit first and last",
        field: field + ".namespace", at: members["namespace"])
    }
    var binding = Binding(
      name: reader.string(members["name"], field: field + ".name") ?? "\(backend).\(namespace)", backend: backend, namespace: namespace,
      place: reader.place(node))
    if let scope = members["scope"] { binding.scope = reader.json(scope) }
    binding.access = reader.choice(members["access"], field: field + ".access", Binding.Access.self) ?? binding.access
    binding.deletionPolicy =
      reader.choice(members["deletionPolicy"], field: field + ".deletionPolicy", Binding.DeletionPolicy.self) ?? binding.deletionPolicy
    binding.inlineSteps = reader.bool(members["inlineSteps"], field: field + ".inlineSteps")
    binding.requireUseVerb = reader.bool(members["requireUseVerb"], field: field + ".requireUseVerb") ?? false
    binding.disabled = reader.bool(members["disabled"], field: field + ".disabled") ?? false
    if let poll = members["poll"] {
      let members = reader.mapping(
        poll, field: field + ".poll", known: ["interval", "sweepInterval", "templatesInterval"])
      func interval(_ name: String, _ value: inout Duration) {
        if let duration = reader.duration(members[name], field: "\(field).poll.\(name)") { value = duration }
      }
      interval("interval", &binding.poll.interval)
      interval("sweepInterval", &binding.poll.sweepInterval)
      interval("templatesInterval", &binding.poll.templatesInterval)
    }
    if let window = members["window"] {
      let members = reader.mapping(window, field: field + ".window", known: ["maxAge"])
      binding.window.maxAge = reader.duration(members["maxAge"], field: field + ".window.maxAge") ?? binding.window.maxAge
    }
    return binding
  }

  /// What one field alone cannot show.
  private func check(_ reader: ConfigurationReader, _ root: Node) {
    func name(_ value: String, _ field: String) {
      let legal = value.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
      if !value.isEmpty,
        !legal || value.count > 63 || value.hasPrefix("-") || value.hasSuffix("-") || value.hasPrefix(".") || value.hasSuffix(".")
      {
        reader.problem("\"\(value)\" must be a lower-case DNS name of at most 63 characters (a-z, 0-9, '-', '.')", field: field)
      }
    }
    var backendNames: Set<String> = []
    for (i, backend) in backends.enumerated() where !backend.name.isEmpty {
      name(backend.name, "backends[\(i)].name")
      if !backendNames.insert(backend.name).inserted {
        reader.problem("\"\(backend.name)\" is used twice; every backend needs a name of its own", field: "backends[\(i)].name")
      }
    }
    var bindingNames: Set<String> = []
    for (i, binding) in bindings.enumerated() {
      // A name made from backend and namespace is as good as they are.
      if binding.name != "\(binding.backend).\(binding.namespace)" { name(binding.name, "bindings[\(i)].name") }
      if !binding.backend.isEmpty, !backendNames.contains(binding.backend) {
        reader.problem(
          "\"\(binding.backend)\" is none of the backends (\(backendNames.sorted().joined(separator: ", ")))",
          field: "bindings[\(i)].backend")
      }
      if !bindingNames.insert(binding.name).inserted {
        reader.problem("two bindings are named \"\(binding.name)\"; give each a name of its own", field: "bindings[\(i)].name")
      }
      for (j, other) in bindings[..<i].enumerated()
      where other.backend == binding.backend && other.scope.canonical == binding.scope.canonical {
        reader.problem(
          "covers the same part of backend \"\(binding.backend)\" as bindings[\(j)]; a run must appear in one namespace only: give them different scopes",
          field: "bindings[\(i)].scope")
      }
    }
    name(group, "group")
    if !group.contains(".") { reader.problem("\"\(group)\" must be a DNS name with a dot, such as workflow.example.com", field: "group") }
  }
}
