internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What has to hold before a submission goes to the engine.
extension Gateway {
  func invalid(_ name: String, _ errors: [FieldError]) -> StatusError {
    .invalid(kind: "Workflow", group: group, name: name, errors: errors)
  }

  /// The binding that a new Workflow goes to: the namespace's only one, or the one that `spec.backend` names.
  func binding(for spec: JSONValue, in namespace: String, name: String) throws(StatusError) -> Bound {
    let here = bindings.filter { $0.info.namespace == namespace }
    if let backend = spec["backend"]?.string, !backend.isEmpty {
      guard let bound = here.first(where: { $0.info.backend == backend }) else {
        let known = here.map(\.info.backend).sorted()
        throw invalid(name, [.notSupported("spec.backend", .string(backend), supported: known)])
      }
      return bound
    }
    switch here.count {
    case 1: return here[0]
    case 0:
      let bound = Set(bindings.map(\.info.namespace)).sorted().joined(separator: ", ")
      throw invalid(
        name,
        [
          .invalid(
            "metadata.namespace", .string(namespace), "no engine is bound to this namespace; bound are: \(bound.isEmpty ? "none" : bound)")
        ])
    default:
      throw invalid(
        name,
        [.required("spec.backend", "this namespace has several backends: \(here.map(\.info.backend).sorted().joined(separator: ", "))")])
    }
  }

  /// `access: Observe` refuses every write, naming the setting (design §7).
  func checkAccess(_ bound: Bound, name: String, write: String) throws(StatusError) {
    guard bound.info.access == .observe else { return }
    throw .forbidden(
      resource: "workflows", group: group, name: name,
      reason:
        "\(write) is refused because binding \"\(bound.info.name)\" has access: Observe; it takes access: Submit or Manage in the gateway's configuration"
    )
  }

  /// `access: Submit` acts only on runs that were submitted here.
  func checkOwnership(_ bound: Bound, _ object: StoredObject, isOurs: Bool, write: String) throws(StatusError) {
    try checkAccess(bound, name: object.draft.name, write: write)
    guard !bound.info.allowsWrites(isOurs: isOurs) else { return }
    throw .forbidden(
      resource: "workflows", group: group, name: object.draft.name,
      reason:
        "\(write) is refused because this run was not started by the gateway and binding \"\(bound.info.name)\" has access: Submit; it takes access: Manage in the gateway's configuration"
    )
  }

  /// Refuses what this engine, or this binding, cannot do, before anything is sent.
  func checkAbilities(_ bound: Bound, name: String, object: JSONValue) throws(StatusError) {
    let spec = object["spec"] ?? .emptyObject
    let traits = bound.adapter.traits
    var errors: [FieldError] = []
    func limited(_ ability: String, _ text: String) -> String { traits.limitations[ability] ?? text }
    if spec["steps"] != nil {
      if !traits.runsInlineSteps {
        errors.append(.forbidden("spec.steps", limited("inlineSteps", "\(traits.engine) cannot run inline steps; use templateRef")))
      } else if !bound.info.inlineSteps {
        errors.append(
          .forbidden(
            "spec.steps",
            "inline steps run commands on CI workers and are off for binding \"\(bound.info.name)\"; set inlineSteps: true in the gateway's configuration, or use templateRef"
          ))
      }
    }
    if spec["schedule"] != nil, !traits.keepsSchedules {
      errors.append(.forbidden("spec.schedule", limited("schedule", "\(traits.engine) keeps no schedules")))
    }
    if spec["suspend"]?.bool == true, bound.abilities.suspending == nil {
      errors.append(.forbidden("spec.suspend", limited("suspend", "\(traits.engine) cannot hold a run")))
    }
    if let finalizers = object["metadata"]?["finalizers"]?.array, !finalizers.isEmpty, bound.abilities.overlays == nil {
      errors.append(
        .forbidden("metadata.finalizers", limited("overlay", "\(traits.engine) has no place for metadata that changes after submission")))
    }
    if spec["timeout"] != nil, !traits.enforcesTimeout, bound.abilities.cancelling == nil {
      errors.append(.forbidden("spec.timeout", limited("timeout", "\(traits.engine) can neither limit a run's time nor cancel it")))
    }
    if !errors.isEmpty { throw invalid(name, errors) }
  }

  /// The engine's name of the template, its parameters checked. nil for inline steps.
  func template(for spec: JSONValue, bound: Bound, name: String) async throws(StatusError) -> String? {
    guard let wanted = spec["templateRef"]?["name"]?.string else { return nil }
    guard bound.abilities.templates != nil else { return wanted }
    var object = try known(template: wanted, bound)
    if object == nil {
      // It may be newer than our last look.
      await bound.driver.refreshTemplates()
      object = try known(template: wanted, bound)
    }
    guard let object else {
      throw invalid(name, [.notFound("spec.templateRef.name", .string(wanted))])
    }
    if let schema = object.draft.content["spec"]?["parametersSchema"] {
      let errors = ParameterSchema(schema: schema).check(spec["parameters"] ?? .emptyObject, path: "spec.parameters")
      if !errors.isEmpty { throw invalid(name, errors) }
    }
    return object.draft.content["spec"]?["engineName"]?.string ?? wanted
  }

  /// By its name; also by its own name where another backend of the namespace has that one, too.
  private func known(template name: String, _ bound: Bound) throws(StatusError) -> StoredObject? {
    for name in [name, EngineNames.objectName(name, of: bound.info.backend)] {
      let object = try store.get(.workflowtemplates, namespace: bound.info.namespace, name: name)
      if let object, object.draft.fields["spec.backend"] == bound.info.backend { return object }
    }
    return nil
  }
}
