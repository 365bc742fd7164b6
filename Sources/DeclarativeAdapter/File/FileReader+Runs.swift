internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

extension FileReader {
  static let mappingKeys = [
    "id", "parent", "identity", "attempt", "order", "state", "cancelled", "rebuild", "reason", "message", "createdAt", "startedAt",
    "finishedAt",
    "template", "trigger", "url", "progress", "suspended", "parameters", "labels", "scheduledBy", "schedule", "lastScheduleTime",
    "nextRunTime",
    "envelope", "overlay", "steps",
  ]

  /// `runs` or `schedules`.
  func readBlock(_ node: YAMLNode, isSchedule: Bool) -> RunBlock? {
    let operations = ["submit", "get", "find", "list", "changes", "cancel", "delete", "retry", "suspend", "resume", "setState"]
    let fields = Fields(node, problems, allowed: ["states", "map", "steps"] + operations)
    let states = fields.required("states").map { readStates($0) } ?? StateTable(states: [:])
    guard let map = fields.required("map") else { return nil }
    let mapping = readMapping(map, states, base: nil)
    func override(_ own: Fields) -> RunMapping? { own["map"].flatMap { readMapping($0, states, base: map) } }
    let key = base.adding("key", VariableTypes.key)

    func runOperation(_ node: YAMLNode?, _ declarations: Declarations, submits: Bool = false) -> RunOperation? {
      guard let node, let (chain, own, results) = readChain(node, declarations, extra: ["run", "steps", "map"]) else { return nil }
      let compiler = compiler(results)
      if submits, own["run"] == nil {
        problems.add(own.place(of: "run"), "is missing: what the answer shows of the new run; at least what the map needs")
      }
      return RunOperation(chain: chain, run: compiler.value(own["run"]), steps: compiler.value(own["steps"]), mapping: override(own))
    }
    func listOperation(_ node: YAMLNode) -> ListOperation? {
      guard let (chain, own, _) = readChain(node, base.adding("since", .nullable(.string)), extra: ["map"]) else { return nil }
      return requireRows(ListOperation(chain: chain, mapping: override(own)), own)
    }

    var block = mapping.map { RunBlock(mapping: $0) }
    if let node = fields["steps"] {
      let mapping = readStepMapping(node)
      block?.stepMapping = mapping
    }
    if let node = fields["submit"] {
      let submission = base.adding("submission", VariableTypes.submission)
      if isSchedule {
        let operation = runOperation(node, submission, submits: true)
        block?.submitTemplate = operation
      } else {
        let own = Fields(node, problems, allowed: ["template", "steps"])
        let template = runOperation(own["template"], submission, submits: true)
        let steps = runOperation(own["steps"], submission, submits: true)
        block?.submitTemplate = template
        block?.submitSteps = steps
      }
    }
    let get = runOperation(fields.required("get"), key)
    if get != nil, get?.run == nil { problems.add(fields.place(of: "get"), "needs 'run': the row in the answer") }
    block?.get = get
    let find = runOperation(fields["find"], base.adding(["submissionKey": .string, "template": .nullable(.string)]))
    if find != nil, find?.run == nil { problems.add(fields.place(of: "find"), "needs 'run': the row, or null when there is none") }
    block?.find = find
    if let node = fields.required("list") { block?.list = (node.elements ?? [node]).compactMap { listOperation($0) } }
    if let node = fields["changes"] { block?.changes = readChanges(node, states, map) }
    block?.cancel = runOperation(fields["cancel"], key.adding(["uid": .string, "reason": .string]))
    block?.delete = fields["delete"].flatMap { readChain($0, key, extra: [])?.chain }
    block?.retry = runOperation(fields["retry"], key)
    block?.suspend = runOperation(fields["suspend"], key)
    block?.resume = runOperation(fields["resume"], key)
    block?.setState = runOperation(fields["setState"], key.adding("phase", .string))
    if (fields["suspend"] == nil) != (fields["resume"] == nil) {
      problems.add(fields.place(of: fields["suspend"] == nil ? "resume" : "suspend"), "suspend and resume come together")
    }
    return block
  }

  /// The last request of a list must give rows.
  func requireRows(_ list: ListOperation, _ fields: Fields) -> ListOperation? {
    guard let last = list.chain.requests.last, last.rows != nil else {
      problems.add(fields.place, "the last request needs 'rows': the list in its answer")
      return nil
    }
    return list
  }

  private func readChanges(_ node: YAMLNode, _ states: StateTable, _ map: YAMLNode) -> ChangesOperation? {
    let declarations = base.adding("mark", .dyn)
    guard let (chain, own, results) = readChain(node, declarations, extra: ["map", "start", "next", "deleted", "complete", "markOf"]) else {
      return nil
    }
    guard let list = requireRows(ListOperation(chain: chain, mapping: own["map"].flatMap { readMapping($0, states, base: map) }), own)
    else { return nil }
    let compiler = compiler(results)
    guard let mark = compiler.value(own.required("next")) else { return nil }
    var start: (RequestChain, ValueTemplate)?
    if let node = own["start"], let (chain, own, results) = readChain(node, base, extra: ["mark"]) {
      if let mark = self.compiler(results).value(own.required("mark")) { start = (chain, mark) }
    }
    let markOf = own.text("markOf")
    if let markOf, markOf != "first", markOf != "last" { problems.add(own.place(of: "markOf"), "must be first or last (page)") }
    return ChangesOperation(
      start: start, list: list, mark: mark, deleted: compiler.value(own["deleted"]), complete: compiler.condition(own["complete"]),
      markOfLastPage: markOf == "last")
  }

  private func readStates(_ node: YAMLNode) -> StateTable {
    var table = StateTable(states: [:])
    guard let entries = node.entries, !entries.isEmpty else {
      problems.add(node.place, "must be a mapping of the engine's words to Pending, Running, Succeeded or Failed")
      return table
    }
    for entry in entries {
      var phaseNode: YAMLNode? = entry.value
      var reason: String?
      if entry.value.entries != nil {
        let fields = Fields(entry.value, problems, allowed: ["phase", "reason"])
        phaseNode = fields.required("phase")
        reason = fields.text("reason")
        if let reason,
          reason.utf8.first.map({ $0 &- 0x41 < 26 }) != true || !reason.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 })
        {
          problems.add(fields.place(of: "reason"), "must be one CamelCase word")
        }
      }
      guard let phaseNode else { continue }
      guard let word = phaseNode.scalar?.string, let phase = RunPhase(rawValue: word) else {
        problems.add(phaseNode.place, "must be one of \(RunPhase.allCases.map(\.rawValue).joined(separator: ", "))")
        continue
      }
      let meaning = StateTable.Meaning(phase: phase, reason: reason)
      if entry.name == "*" { table.otherwise = meaning } else { table.states[entry.name] = meaning }
    }
    return table
  }

  private func readStepMapping(_ node: YAMLNode) -> StepMapping? {
    let fields = Fields(node, problems, allowed: ["states", "map"])
    guard let states = fields.required("states").map({ readStates($0) }), let map = fields.required("map") else { return nil }
    let own = Fields(map, problems, allowed: ["name", "state", "message", "startedAt", "finishedAt"])
    let compiler = compiler(base.adding(["row": .dyn, "step": .dyn]))
    guard let name = compiler.value(own.required("name")), let state = compiler.value(own.required("state")) else { return nil }
    return StepMapping(
      name: name, state: state, states: states, message: compiler.value(own["message"]), startedAt: compiler.value(own["startedAt"]),
      finishedAt: compiler.value(own["finishedAt"]))
  }

  /// - Parameter base: the block's mapping, of which `node` changes single fields.
  private func readMapping(_ node: YAMLNode, _ states: StateTable, base map: YAMLNode?) -> RunMapping? {
    var node = node
    if let map, let entries = map.entries, let own = node.entries {
      let kept = entries.filter { entry in !own.contains { $0.name == entry.name } }
      node = YAMLNode(content: .mapping(own + kept), place: node.place)
    }
    let fields = Fields(node, problems, allowed: Self.mappingKeys)
    let compiler = compiler(base.adding(["row": .dyn, "mark": .dyn]))
    let id = compiler.value(fields.required("id"))
    let identity = compiler.value(fields.required("identity"))
    let state = compiler.value(fields.required("state"))
    var attempt: RunMapping.AttemptField?
    if let node = fields.required("attempt") {
      if node.scalar == .string("unknown") {
        attempt = .unknown
      } else {
        let own = Fields(node, problems, allowed: ["number", "since"])
        if let number = compiler.value(own["number"]) { attempt = .number(number) }
        if let since = compiler.value(own["since"]) { attempt = .since(since) }
        if (own["number"] == nil) == (own["since"] == nil) {
          problems.add(node.place, "must be 'unknown', or have one of number (a count) and since (a time)")
        }
      }
    }
    var order: RunMapping.OrderField?
    if let node = fields["order"] {
      let own = Fields(node, problems, allowed: ["sequence", "time"])
      if let sequence = compiler.value(own["sequence"]) { order = .sequence(sequence) }
      if let time = compiler.value(own["time"]) { order = .time(time) }
      if (own["sequence"] == nil) == (own["time"] == nil) { problems.add(node.place, "needs one of sequence and time") }
    }
    let progress = fields["progress"].map { Fields($0, problems, allowed: ["done", "total"]) }
    guard let id, let identity, let state, let attempt else { return nil }
    return RunMapping(
      id: id, parent: compiler.value(fields["parent"]), identity: identity, attempt: attempt, order: order, state: state, states: states,
      cancelled: compiler.condition(fields["cancelled"]), rebuild: compiler.condition(fields["rebuild"]),
      reason: compiler.value(fields["reason"]),
      message: compiler.value(fields["message"]), createdAt: compiler.value(fields["createdAt"]),
      startedAt: compiler.value(fields["startedAt"]),
      finishedAt: compiler.value(fields["finishedAt"]), template: compiler.value(fields["template"]),
      trigger: compiler.value(fields["trigger"]),
      url: compiler.value(fields["url"]), progressDone: compiler.value(progress?.required("done")),
      progressTotal: compiler.value(progress?.required("total")), suspended: compiler.condition(fields["suspended"]),
      parameters: compiler.value(fields["parameters"]), labels: compiler.value(fields["labels"]),
      scheduledBy: compiler.value(fields["scheduledBy"]), schedule: compiler.value(fields["schedule"]),
      lastScheduleTime: compiler.value(fields["lastScheduleTime"]), nextRunTime: compiler.value(fields["nextRunTime"]),
      envelope: readFacet(fields["envelope"], compiler), overlay: readFacet(fields["overlay"], compiler),
      steps: compiler.value(fields["steps"]))
  }

  private func readFacet(_ node: YAMLNode?, _ compiler: TemplateCompiler) -> RunMapping.FacetField {
    guard let node, node.scalar != .string("unseen") else { return .unseen }
    if node.entries != nil {
      let fields = Fields(node, problems, allowed: ["value", "seen"])
      guard let value = compiler.value(fields.required("value")) else { return .unseen }
      return .value(value, seen: compiler.condition(fields["seen"]))
    }
    return compiler.value(node).map { .value($0, seen: nil) } ?? .unseen
  }
}
