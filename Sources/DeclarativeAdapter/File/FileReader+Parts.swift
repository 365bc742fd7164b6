internal import CEL
internal import JSON
internal import OrderedCollections

extension FileReader {
  func readTemplates(_ node: YAMLNode) -> TemplatesOperation? {
    guard let (chain, own, _) = readChain(node, base, extra: ["details", "map"]) else { return nil }
    let list = requireRows(ListOperation(chain: chain), own)
    let row = base.adding("row", .dyn)
    var known = row
    var details: TemplatesOperation.Details?
    if let node = own["details"] {
      guard let (chain, fields, _) = readChain(node, row, extra: ["cacheKey", "concurrency"]) else { return nil }
      details = TemplatesOperation.Details(
        chain: chain, cacheKey: compiler(row).value(fields["cacheKey"]), concurrency: fields.int("concurrency", 1...32) ?? 4)
      known = row.adding("details", .dyn)
    }
    let map = Fields(
      own.required("map") ?? .missing(at: own.place), problems,
      allowed: ["name", "description", "parametersSchema", "paused", "url", "schedule", "labels"])
    let compiler = compiler(known)
    guard let list, let name = compiler.value(map.required("name")) else { return nil }
    return TemplatesOperation(
      list: list, details: details, name: name, description: compiler.value(map["description"]),
      parametersSchema: compiler.value(map["parametersSchema"]), paused: compiler.condition(map["paused"]), url: compiler.value(map["url"]),
      schedule: compiler.value(map["schedule"]), labels: compiler.value(map["labels"]))
  }

  func readOverlay(_ node: YAMLNode) -> OverlayOperations? {
    let fields = Fields(node, problems, allowed: ["limit", "inRuns", "set", "remove", "get", "list"])
    let limit = fields["limit"] == nil ? nil : fields.int("limit", 256...16 << 20)
    if fields["limit"] == nil { _ = fields.required("limit") }
    let named = base.adding(["key": VariableTypes.key, "uid": .string])
    let set = fields.required("set").flatMap { readChain($0, named.adding("overlay", .dyn), extra: [])?.chain }
    let remove = fields.required("remove").flatMap { readChain($0, named, extra: [])?.chain }
    let get = fields.required("get").flatMap { readDocument($0, named) }
    let list = fields["list"].flatMap { readDocuments($0) }
    let inRuns = fields.flag("inRuns") ?? false
    if !inRuns, fields["list"] == nil {
      problems.add(fields.place(of: "list"), "is missing; only an overlay that comes with every run (inRuns: true) needs none")
    }
    guard let limit, let set, let remove, let get else { return nil }
    return OverlayOperations(limit: limit, comesWithRuns: inRuns, set: set, remove: remove, get: get, list: list)
  }

  func readMarks(_ node: YAMLNode) -> MarksOperations? {
    let fields = Fields(node, problems, allowed: ["when", "uid", "get", "list"])
    let row = compiler(base.adding("row", .dyn))
    let get = fields.required("get").flatMap { readDocument($0, base.adding("uid", .string)) }
    guard let condition = row.condition(fields.required("when")), let uid = row.value(fields.required("uid")), let get else { return nil }
    return MarksOperations(condition: condition, uid: uid, get: get, list: fields["list"].flatMap { readDocuments($0) })
  }

  private func readDocument(_ node: YAMLNode, _ declarations: Declarations) -> (chain: RequestChain, document: ValueTemplate)? {
    guard let (chain, own, results) = readChain(node, declarations, extra: ["document"]),
      let document = compiler(results).value(own.required("document"))
    else { return nil }
    return (chain, document)
  }

  private func readDocuments(_ node: YAMLNode) -> (list: ListOperation, uid: ValueTemplate, document: ValueTemplate)? {
    guard let (chain, own, _) = readChain(node, base, extra: ["uid", "document"]) else { return nil }
    let compiler = compiler(base.adding("row", .dyn))
    guard let list = requireRows(ListOperation(chain: chain), own), let uid = compiler.value(own.required("uid")),
      let document = compiler.value(own.required("document"))
    else { return nil }
    return (list, uid, document)
  }

  func readLog(_ node: YAMLNode) -> LogOperation? {
    let fields = Fields(node, problems, allowed: ["sources", "stream", "read", "interval", "engineDoes"])
    let known = base.adding(["key": VariableTypes.key, "log": VariableTypes.log])
    var sources: LogOperation.Sources?
    if let node = fields["sources"] {
      guard let (chain, own, _) = readChain(node, known, extra: ["id", "step", "done"]) else { return nil }
      let compiler = compiler(known.adding("source", .dyn))
      guard let rows = chain.requests.last?.rows else {
        problems.add(own.place, "the last request needs 'rows': the list in its answer")
        return nil
      }
      guard let id = compiler.value(own.required("id")) else { return nil }
      sources = LogOperation.Sources(
        chain: chain, rows: rows, id: id, step: compiler.value(own["step"]), done: compiler.condition(own["done"]))
    }
    let reading = known.adding(["source": .dyn, "token": .nullable(.dyn)])
    var how: LogOperation.Reading?
    if let node = fields["stream"] {
      let own = Fields(node, problems, allowed: Self.requestKeys)
      how = readRequest(own, reading).map { .stream($0) }
    } else if let node = fields.required("read"),
      let (chain, own, results) = readChain(node, reading, extra: ["lines", "content", "next", "more"])
    {
      let compiler = compiler(results)
      if (own["lines"] == nil) == (own["content"] == nil) { problems.add(own.place, "needs one of lines (a list) and content (a text)") }
      how = .pages(
        chain, lines: compiler.value(own["lines"]), text: compiler.value(own["content"]), token: compiler.value(own["next"]),
        more: compiler.condition(own["more"]))
    }
    if fields["stream"] != nil, fields["read"] != nil { problems.add(fields.place, "has both stream and read; one of them is enough") }
    var engineDoes: Set<LogOperation.Option> = []
    for word in fields.texts("engineDoes") ?? [] {
      if let option = LogOperation.Option(rawValue: word) {
        engineDoes.insert(option)
      } else {
        problems.add(fields.place(of: "engineDoes"), "knows follow, step, tailLines, since and prefix, not '\(word)'")
      }
    }
    guard let how else { return nil }
    return LogOperation(sources: sources, reading: how, interval: fields.duration("interval") ?? .seconds(2), engineDoes: engineDoes)
  }

  func readExamples(_ node: YAMLNode?) -> [AdapterFile.Example] {
    guard let node else { return [] }
    guard let elements = node.elements else {
      problems.add(node.place, "must be a list")
      return []
    }
    return elements.compactMap { node in
      let fields = Fields(node, problems, allowed: ["operation", "with", "answers", "expect", "expectError"])
      guard let operation = fields.text("operation", required: true), let answers = fields.required("answers") else { return nil }
      if !ExampleRunner.operations.contains(operation) {
        problems.add(fields.place(of: "operation"), "must be one of \(ExampleRunner.operations.joined(separator: ", "))")
      }
      if (fields["expect"] == nil) == (fields["expectError"] == nil) { problems.add(node.place, "needs one of expect and expectError") }
      let read = (answers.elements ?? []).map { node in
        let own = Fields(node, problems, allowed: ["request", "status", "headers", "body", "sent"])
        var body: [UInt8] = []
        if let node = own["body"] { body = node.scalar?.string.map { Array($0.utf8) } ?? node.json.encoded }
        return AdapterFile.Example.Answer(
          request: own.text("request", required: true) ?? "", status: own.int("status", 100...599) ?? 200,
          headers: (own["headers"]?.entries ?? []).map { ($0.name, $0.value.scalar?.string ?? "") }, body: body, sent: own["sent"]?.json,
          place: node.place)
      }
      return AdapterFile.Example(
        operation: operation, input: fields["with"]?.json ?? .emptyObject, answers: read, expected: fields["expect"]?.json,
        expectedError: fields["expectError"]?.json, place: node.place)
    }
  }
}
