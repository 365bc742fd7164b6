internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What an update comes to, checked and admitted, before anything is written.
struct UpdatePlan: Sendable {
  let base: StoredObject
  let bound: Bound
  let ref: RunRef
  let old: Overlay
  var new: Overlay
  var suspend: Bool?
  var cancel = false
  var phase: RunPhase?
  /// The object is being deleted, and nothing holds it any more.
  var ends = false
  /// What the object will look like, with the version it has now (kubernetes-wire C2).
  var preview: StoredObject
  var attributes: AdmissionAttributes

  var changesNothing: Bool { new == old && suspend == nil && !cancel && phase == nil }
}

extension Gateway {
  /// From the present object to the plan: the client's change, mutating admission, the rules, validating admission.
  func plan(_ request: UpdateRequest, for object: StoredObject, _ ref: RunRef, _ bound: Bound, _ context: RequestContext)
    async throws(StatusError) -> UpdatePlan
  {
    guard let run = store.run(ref) else { throw .notFound(resource: "workflows", group: group, name: object.draft.name) }
    let current = object.value(apiVersion: apiVersion)
    let envelope = store.ownsEnvelope(ref) ? run.envelope.flatMap(Envelope.init) : nil
    let overlay = Overlay(run.overlay)
    let live = projector.ownership.account(envelope, overlay)
    var (wanted, account) = try changed(request, current, live, context)
    wanted = settled(wanted, current, isStatus: request.subresource == "status")

    var attributes = attributes(.update, request.subresource, object, context, request.options, "UpdateOptions")
    attributes.object = wanted
    attributes.oldObject = current
    if let mutated = try await admission.mutate(attributes), mutated != wanted {
      try checkIdentity(mutated, current)
      let after = settled(mutated, current, isStatus: request.subresource == "status")
      account = projector.ownership.fields.update(
        from: owned(wanted, current), to: owned(after, current), managed: account, manager: request.manager.name,
        subresource: request.subresource, now: clock.now)
      wanted = after
    }
    attributes.object = wanted

    var plan = UpdatePlan(
      base: object, bound: bound, ref: ref, old: overlay, new: overlay, preview: object, attributes: attributes)
    if request.subresource == "status" {
      try planStatus(current, wanted, run, &plan, context)
    } else {
      let name = object.draft.name
      let wish = try WorkflowChange(from: current, to: wanted, group: group) { errors in self.invalid(name, errors) }
      let finalizers = current["metadata"]?["finalizers"]
      for warning in Finalizers.warnings(wanted["metadata"]?["finalizers"], before: finalizers) { context.warn(warning) }
      if !wish.isEmpty {
        try checkOwnership(bound, object, isOurs: isOurs(ref), write: "update")
        planCalls(wish, current, run, &plan, context)
        try checkAbilities(bound, name, wish, plan)
      }
      wish.apply(to: &plan.new, over: envelope)
      plan.ends = overlay.deletionTimestamp != nil && wish.metadata.finalizers.isEmpty && wish.changedMetadata.contains("finalizers")
    }
    // An account is no reason to refuse anything, and none to write where nothing may be written.
    if bound.info.allowsWrites(isOurs: isOurs(ref)), account != live {
      projector.ownership.keep(account, in: &plan.new, over: envelope)
    }
    try fit(&plan, request.subresource)
    try await admission.validate(attributes)
    plan.preview = preview(run, plan, envelope)
    return plan
  }

  /// What the engine is to be told of a change of the spec.
  private func planCalls(_ wish: WorkflowChange, _ current: JSONValue, _ run: KnownRun, _ plan: inout UpdatePlan, _ context: RequestContext)
  {
    let hasEnded = run.key.kind == .run && !run.isActive
    if let suspend = wish.suspend {
      let isSuspended = run.core?.suspended ?? false
      if suspend != (current["spec"]?["suspend"]?.bool ?? false) || suspend != isSuspended { plan.suspend = suspend }
      if hasEnded, plan.suspend != nil {
        plan.suspend = nil
        context.warn("spec.suspend: the run has ended; there is nothing to \(suspend ? "hold" : "resume")")
      }
    }
    if wish.cancel {
      plan.cancel = !hasEnded
      if hasEnded { context.warn("spec.cancel: the run has ended; there is nothing to cancel") }
    }
  }

  private func planStatus(_ current: JSONValue, _ wanted: JSONValue, _ run: KnownRun, _ plan: inout UpdatePlan, _ context: RequestContext)
    throws(StatusError)
  {
    let name = plan.base.draft.name
    let bound = plan.bound
    // What is kept already is no reason to refuse anything else.
    if let conditions = wanted["status"]?["conditions"], !conditions.isSame(as: current["status"]?["conditions"] ?? .null) {
      let faults = StatusRules.errors(status: wanted["status"] ?? .emptyObject)
      guard faults.isEmpty else { throw invalid(name, faults) }
    }
    let wish = try StatusChange(from: current, to: wanted) { errors in invalid(name, errors) }
    if wish.phase != nil || wish.changesKept {
      try checkOwnership(bound, plan.base, isOurs: isOurs(plan.ref), write: "status")
    }
    for warning in wish.warnings { context.warn(warning) }
    if let phase = wish.phase { plan.phase = try told(phase, run, plan, context) }
    guard wish.changesKept else { return }
    guard bound.abilities.overlays != nil else {
      let fields = wish.kept.keys.map { "status.\($0)" }.joined(separator: ", ")
      context.warn("\(fields.isEmpty ? "status" : fields): \(bound.adapter.traits.engine) has no place for it; it was dropped")
      return
    }
    plan.new.status = wish.kept
  }

  /// The phase that the engine is to be told; nil when it cannot be, which a Warning says.
  private func told(_ phase: RunPhase, _ run: KnownRun, _ plan: UpdatePlan, _ context: RequestContext) throws(StatusError) -> RunPhase? {
    let traits = plan.bound.adapter.traits
    guard run.key.kind == .run else {
      throw .methodNotSupported("update of status.phase", resource: "workflows", group: group, advice: "a schedule has no phase of its own")
    }
    guard plan.bound.abilities.stateSetting != nil else {
      throw .methodNotSupported(
        "update of status.phase", resource: "workflows", group: group,
        advice: traits.limitations["setState"] ?? "\(traits.engine) takes no state from outside")
    }
    let now = run.core?.phase ?? .pending
    if now.isTerminal, !phase.isTerminal {
      context.warn("status.phase: the run has ended and stays \(now.rawValue); the retry subresource runs it again")
      return nil
    }
    if phase == .pending {
      context.warn("status.phase: a run that has begun does not wait again; it stays \(now.rawValue)")
      return nil
    }
    return phase
  }

  private func fit(_ plan: inout UpdatePlan, _ subresource: String) throws(StatusError) {
    guard let overlays = plan.bound.abilities.overlays else {
      plan.new = plan.old
      return
    }
    guard plan.new != plan.old else { return }
    do throws(Overlay.TooLarge) {
      plan.new = try plan.new.fitted(overlays.overlayLimit, isDeletion: plan.old.deletionTimestamp != nil)
    } catch {
      // What is on its way out, or makes the overlay smaller, is no reason to refuse: there would be no way back.
      var smaller = plan.new
      smaller.managedFields = nil
      if plan.ends || smaller.json.encoded.count <= plan.old.json.encoded.count {
        plan.new = smaller
        return
      }
      throw invalid(
        plan.base.draft.name,
        [
          FieldError(
            .tooLong, field: subresource.isEmpty ? "metadata" : subresource,
            detail:
              "what changed since the submission would take \(error.bytes) bytes beside the run; \(plan.bound.adapter.traits.engine) keeps \(error.limit)"
          )
        ])
    }
  }

  private func preview(_ run: KnownRun, _ plan: UpdatePlan, _ envelope: Envelope?) -> StoredObject {
    guard var core = run.core else { return plan.base }
    var after = run
    after.overlayFacet.value = .present(plan.new.json)
    if let suspend = plan.suspend { core.suspended = suspend }
    if let phase = plan.phase { core.phase = phase }
    guard var draft = projector.projection(for: plan.bound.info).draft(after, core: core, envelope: envelope) else { return plan.base }
    if plan.cancel { draft.content["spec"]?["cancel"] = true }
    return StoredObject(draft, version: plan.base.version, apiVersion: apiVersion)
  }

  private func checkAbilities(_ bound: Bound, _ name: String, _ wish: WorkflowChange, _ plan: UpdatePlan) throws(StatusError) {
    let engine = bound.adapter.traits.engine
    let limits = bound.adapter.traits.limitations
    var errors: [FieldError] = []
    if bound.abilities.overlays == nil {
      for field in wish.changedMetadata {
        errors.append(
          .forbidden("metadata.\(field)", limits["overlay"] ?? "\(engine) has no place for metadata that changes after submission"))
      }
    }
    if plan.suspend != nil, bound.abilities.suspending == nil {
      errors.append(.forbidden("spec.suspend", limits["suspend"] ?? "\(engine) cannot hold a run"))
    }
    if plan.cancel, plan.ref.key.kind == .schedule {
      errors.append(.forbidden("spec.cancel", "a schedule runs nothing itself; suspend or delete it"))
    } else if plan.cancel, bound.abilities.cancelling == nil {
      errors.append(.forbidden("spec.cancel", limits["cancel"] ?? "\(engine) cannot stop a run"))
    }
    if !errors.isEmpty { throw invalid(name, errors) }
  }
}
