internal import AdapterKit
package import JSON
package import KubeWire
internal import OrderedCollections

/// What a create made.
package struct CreateResult: Sendable {
  /// With `dryRun`, what would have been stored: version 0, which the face leaves out (kubernetes-wire C2).
  package var object: StoredObject
}

extension Gateway {
  /// POST of a Workflow: checks everything that can be known here, then asks the engine exactly once.
  ///
  /// - Parameters:
  ///   - object: decoded against the schema: types are right, unknown fields dropped.
  ///   - nameInURL: of an apply that found nothing; plugins cannot give it another one.
  ///   - manager: who owns the fields of the object.
  /// - Throws: 404 and 403 for a namespace that is missing or terminating, 422 with field paths, 403 for a binding that only observes, 409 for a name that is taken or in doubt, 504 without Retry-After when the
  ///   engine's answer was lost and the run could not be found, 503 when the engine refused our credentials or is away.
  package func create(
    namespace: String, object: JSONValue, nameInURL: String? = nil, options: WriteOptions, manager: WriteManager = WriteManager(""),
    context: RequestContext
  ) async throws(StatusError) -> CreateResult {
    var object = object
    if object["spec"] == nil { object["spec"] = .emptyObject }
    try await checkBinding(of: object, namespace, context)
    try await checkNamespace(namespace, name: object["metadata"]?["name"]?.string ?? "")
    let generateName = object["metadata"]?["generateName"]?.string
    var attributes = attributes(
      .create, namespace: namespace, name: object["metadata"]?["name"]?.string ?? "", context, options: Self.json(options, "CreateOptions"),
      dryRun: options.dryRun)
    attributes.object = submitted(object, context)
    if let mutated = try await admission.mutate(attributes) {
      try checkPlace(mutated, namespace: namespace, name: nameInURL)
      object = mutated
    }
    object = submitted(object, context)
    attributes.object = object
    let given = object["metadata"]?["name"]?.string ?? ""
    var attempt = 0
    while true {
      let name = given.isEmpty ? try generatedName(generateName) : given
      object["metadata"]?["name"] = .string(name)
      attributes.name = name
      attributes.object = object
      do throws(StatusError) {
        return try await create(
          name: name, isNameGiven: !given.isEmpty, object: object, options: options, manager: manager, attributes: attributes)
      } catch {
        attempt += 1
        guard given.isEmpty, error.status.reason == "AlreadyExists", attempt < Self.nameAttempts else { throw error }
        attributes.uid = EngineNames.randomUID(random(16))
      }
    }
  }

  /// maxNameGenerationCreateAttempts (registry/store.go, kubernetes-wire C10).
  private static let nameAttempts = 8

  private func generatedName(_ base: String?) throws(StatusError) -> String {
    guard let base, !base.isEmpty else {
      throw .invalid(kind: "Workflow", group: group, name: "", errors: [.required("metadata.name", "name or generateName is required")])
    }
    var random = SystemRandomNumberGenerator()
    return Names.generated(from: base, using: &random)
  }

  /// Nothing new comes into a namespace that is not there or is going (kubernetes-wire C6).
  private func checkNamespace(_ namespace: String, name: String) async throws(StatusError) {
    switch try await namespaces.state(of: namespace) {
    case .active: return
    case .missing: throw .namespaceNotFound(namespace)
    case .terminating: throw .namespaceTerminating(resource: "workflows", group: group, name: name, namespace: namespace)
    }
  }

  /// Authorization comes before plugins: they are not called for who may not use the backend. They can still choose another one.
  private func checkBinding(of object: JSONValue, _ namespace: String, _ context: RequestContext) async throws(StatusError) {
    let name = object["metadata"]?["name"]?.string ?? ""
    guard let bound = try? binding(for: object["spec"] ?? .emptyObject, in: namespace, name: name) else { return }
    try checkAccess(bound, name: name, write: "create")
    try await checkUse(bound, context)
  }

  /// Plugins do not make another object of it than the request is for.
  private func checkPlace(_ mutated: JSONValue, namespace: String, name: String?) throws(StatusError) {
    let given = mutated["metadata"]
    guard (given?["namespace"]?.string ?? namespace) == namespace else {
      throw .otherNamespace
    }
    if let name, (given?["name"]?.string ?? "") != name {
      throw .otherName(given?["name"]?.string ?? "", inURL: name)
    }
    guard mutated["kind"]?.string ?? "Workflow" == "Workflow", mutated["apiVersion"]?.string ?? apiVersion == apiVersion else {
      throw .badRequest("admission made a \(mutated["kind"]?.string ?? "") of \(mutated["apiVersion"]?.string ?? "") of the Workflow")
    }
  }

  /// Without what only the server sets (kubernetes-wire C7), so that what was read can be created anew under another name.
  private func submitted(_ object: JSONValue, _ context: RequestContext) -> JSONValue {
    var object = object
    object["status"] = nil
    object["metadata"] = KeptMetadata.withoutEmpty(object["metadata"])
    if let warning = OwnerReferences.removeDuplicates(of: &object) { context.warn(warning) }
    for owned in [
      "uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
      "selfLink",
    ] { object["metadata"]?[owned] = nil }
    for key in (object["metadata"]?["labels"]?.object ?? [:]).keys where key.hasPrefix(group + "/") {
      context.warn("metadata.labels[\(key)]: labels that begin with \(group)/ are set by the gateway; the given value was not taken")
      object["metadata"]?["labels"]?[key] = nil
    }
    return object
  }

  private func create(
    name: String, isNameGiven: Bool, object: JSONValue, options: WriteOptions, manager: WriteManager, attributes: AdmissionAttributes
  ) async throws(StatusError) -> CreateResult {
    let namespace = attributes.namespace
    let context = attributes.context
    let spec = object["spec"] ?? .emptyObject
    let faults = MetadataRules.errors(in: object["metadata"]?.object ?? [:]) + WorkflowRules.errors(spec: spec)
    guard faults.isEmpty else { throw invalid(name, faults) }
    for warning in Finalizers.warnings(object["metadata"]?["finalizers"]) { context.warn(warning) }
    let bound = try binding(for: spec, in: namespace, name: name)
    try checkAccess(bound, name: name, write: "create")
    try await checkUse(bound, context)
    try checkAbilities(bound, name: name, object: object)
    let template = try await template(for: spec, bound: bound, name: name)

    let uid = EngineNames.randomUID(random(16))
    let now = clock.now
    let builder = SubmissionBuilder(
      apiVersion: apiVersion, binding: bound.info, engineTemplate: template, signingKey: projector.signingKeys.first)
    let (submission, envelope) = builder.build(
      name: name, uid: uid, object: object, requestedBy: context.user.name, manager: manager, now: now)

    // From here to the end the name is ours: two creates of one name never reach the engine together. A dry run only looks.
    let reservation = options.dryRun ? nil : try reservations.reserve(namespace: namespace, name: name, group: group)
    defer { reservation?.release() }
    try checkShown(namespace)
    if let existing = try store.get(.workflows, namespace: namespace, name: name) {
      let deleting = existing.draft.metadata["deletionTimestamp"] != nil
      throw .alreadyExists(resource: "workflows", group: group, name: name, prefix: deleting ? "object is being deleted: " : "")
    }
    let preview = StoredObject(
      bound.preview(submission, envelope: envelope, projector: projector, now: now), version: 0, apiVersion: apiVersion)
    var attributes = attributes
    attributes.object = preview.value(apiVersion: apiVersion)
    try await admission.validate(attributes)
    defer { admission.finish(attributes) }
    guard let reservation else { return CreateResult(object: preview) }
    try checkShown(namespace)
    try context.checkDeadline(clock.now)
    context.note("\(group)/backend", bound.info.backend)
    context.waitsFor = "backend \"\(bound.info.backend)\" has not answered; look for the run before it is submitted again"
    defer { context.waitsFor = nil }
    let object = try await submit(submission, envelope: envelope, to: bound, name: name, isNameGiven: isNameGiven, reservation: reservation)
    if let ref = store.ref(uid: uid) {
      note(bound, ref.key, context)
      if !envelope.finalizers.isEmpty, let overlays = bound.abilities.overlays, !overlays.overlayComesWithRuns {
        // Only overlays that hold something make a gateway that starts look beyond the window (``Reconciler``).
        await bound.driver.withRunLock(ref.key) {
          try? await changeOverlay(ref, uid: uid, bound: bound) { $0.finalizers = envelope.finalizers }
        }
      }
    }
    return CreateResult(object: object)
  }

  /// What is in a hidden namespace cannot be seen: neither what has the name already, nor what would be made.
  private func checkShown(_ namespace: String) throws(StatusError) {
    guard store.isHidden(namespace) else { return }
    throw .serviceUnavailable(
      "namespace \(GoText.quoted(namespace)) is not shown at the moment, it is going or was just made; nothing was submitted", retryAfter: 1
    )
  }

  /// The only call of `submit`. What the engine did is decided by what it shows afterwards, never by a second request.
  private func submit(
    _ submission: Submission, envelope: Envelope, to bound: Bound, name: String, isNameGiven: Bool, reservation: NameReservation
  )
    async throws(StatusError) -> StoredObject
  {
    let began = clock.now
    var observation: Observation
    do throws(AdapterError) {
      observation = try await bound.adapter.submit(submission)
    } catch {
      guard error.code == .alreadyExists || error.inDoubt else { throw bound.refusal(name, group: group).status(error, isWrite: true) }
      return try await lookUp(submission, error, bound: bound, name: name, isNameGiven: isNameGiven, reservation: reservation)
    }
    // The answer may leave out what we have just sent.
    if observation.envelope == .unseen { observation.envelope = .present(submission.envelope) }
    if observation.overlay == .unseen { observation.overlay = .absent }
    return try stored(observation, bound: bound, uid: submission.uid, began: began, name: name)
  }

  /// After a refused key or a lost answer: is there a run of this key, and is it ours?
  private func lookUp(
    _ submission: Submission, _ error: AdapterError, bound: Bound, name: String, isNameGiven: Bool, reservation: NameReservation
  )
    async throws(StatusError) -> StoredObject
  {
    let began = clock.now
    let found: Observation?
    do throws(AdapterError) {
      found = try await bound.find(submission)
    } catch let second {
      if error.inDoubt { reservation.keepInDoubt(submission, bound: bound, until: clock.now + bound.adapter.traits.submitDeadline) }
      throw bound.refusal(name, group: group).status(error.inDoubt ? error : second, isWrite: true)
    }
    if let found, case .present(let json) = found.envelope, Envelope(json)?.uid == submission.uid {
      return try stored(found, bound: bound, uid: submission.uid, began: began, name: name)
    }
    if error.inDoubt { reservation.keepInDoubt(submission, bound: bound, until: clock.now + bound.adapter.traits.submitDeadline) }
    // What was found may be what we sent, its envelope not yet to be seen: another name would make a second run.
    let isSettled = !error.inDoubt || isNameGiven
    if isSettled, found != nil || error.code == .alreadyExists {
      throw .alreadyExists(
        resource: "workflows", group: group, name: name,
        suffix:
          ": backend \"\(bound.info.backend)\" still has a run under the key \"\(submission.key)\"; delete it there or choose another name")
    }
    throw bound.refusal(name, group: group).status(error, isWrite: true)
  }

  private func stored(_ observation: Observation, bound: Bound, uid: String, began: Timestamp, name: String) throws(StatusError)
    -> StoredObject
  {
    observe(Observed(bound.id, observation, began: began, ended: clock.now, source: .write))
    // Never with Retry-After: the run is there, and under a generated name a second one would be made.
    guard let object = store.object(uid: uid) else {
      throw .internalError(
        "backend \"\(bound.info.backend)\" took the run (\(observation.key)) but it does not appear as \(bound.info.namespace)/\(name); do not submit it again, look for that run"
      )
    }
    return object
  }
}
