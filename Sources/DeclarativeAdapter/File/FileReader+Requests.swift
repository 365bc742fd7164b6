internal import CEL
internal import JSON
internal import OrderedCollections

extension FileReader {
  static let requestKeys = [
    "name", "when", "request", "url", "query", "headers", "body", "form", "text", "answer", "ok", "errors", "reads", "auth", "timeout",
    "mayFail", "only",
    "rows", "page",
  ]

  /// An operation's requests: either its own `request`, or a list under `requests`.
  ///
  /// - Parameter extra: what else the operation may say.
  /// - Returns: the requests, the operation's fields, and the variables with the answers added; nil after a reported mistake.
  func readChain(_ node: YAMLNode, _ declarations: Declarations, extra: [String]) -> (
    chain: RequestChain, fields: Fields, results: Declarations
  )? {
    if node.entries != nil, node["requests"] != nil {
      let fields = Fields(node, problems, allowed: ["requests", "errors", "refuse"] + extra)
      let shared = readErrorRules(fields["errors"], declarations)
      guard let list = fields["requests"]?.elements, !list.isEmpty else {
        problems.add(fields.place(of: "requests"), "must be a list of requests")
        return nil
      }
      var requests: [RequestTemplate] = []
      var known = declarations
      for (index, node) in list.enumerated() {
        let own = Fields(node, problems, allowed: Self.requestKeys)
        guard var request = readRequest(own, known) else { continue }
        request.errors += shared
        if index < list.count - 1, request.name == nil, request.reads {
          problems.add(own.place, "reads something that nobody can use: give it a name")
        }
        requests.append(request)
        if let name = request.name {
          if known.types[name] != nil { problems.add(own.place(of: "name"), "'\(name)' is the name of a variable already") }
          known = known.adding(name, VariableTypes.response)
        }
      }
      guard requests.count == list.count else { return nil }
      let refusals = readErrorRules(fields["refuse"], declarations)
      return (
        RequestChain(requests: requests, refusals: refusals, place: node.place), fields, known.adding("response", VariableTypes.response)
      )
    }
    let fields = Fields(node, problems, allowed: ["requests", "refuse"] + Self.requestKeys + extra)
    guard let request = readRequest(fields, declarations) else { return nil }
    var known = declarations.adding("response", VariableTypes.response)
    if let name = request.name { known = known.adding(name, VariableTypes.response) }
    let refusals = readErrorRules(fields["refuse"], declarations)
    return (RequestChain(requests: [request], refusals: refusals, place: node.place), fields, known)
  }

  func readRequest(_ fields: Fields, _ declarations: Declarations) -> RequestTemplate? {
    let paging = fields["page"].map { Fields($0, problems, allowed: ["by", "size", "total", "next", "all"]) }
    let known = paging == nil ? declarations : declarations.adding("page", VariableTypes.page)
    let compiler = compiler(known)
    let after = self.compiler(known.adding("response", VariableTypes.response))
    var method = "GET"
    var path: RequestTemplate.Path?
    if let text = fields.text("request", required: fields["url"] == nil) {
      let place = fields.place(of: "request")
      let parts = text.split(separator: " ", maxSplits: 1)
      let verbs = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
      if let verb = parts.first.map(String.init), verbs.contains(verb) {
        method = verb
      } else {
        problems.add(place, "must begin with one of \(verbs.joined(separator: ", "))")
      }
      if parts.count == 2, parts[1].hasPrefix("/") {
        if fields["url"] != nil {
          problems.add(place, "has a path although there is a url")
        } else if let pieces = compiler.pieces(String(parts[1]), at: place) {
          for case .literal(let literal) in pieces where literal.contains("?") || literal.contains("#") || literal.contains(" ") {
            problems.add(place, "the path must not hold '?', '#' or spaces; what belongs behind the '?' stands under query")
          }
          path = .segments(pieces)
        }
      } else if parts.count == 2 || fields["url"] == nil {
        problems.add(place, "needs a path that begins with '/', as in GET /api/jobs")
      }
    }
    if let url = compiler.value(fields["url"]) { path = .url(url) }
    let bodies = ["body", "form", "text"].filter { fields[$0] != nil }
    if bodies.count > 1 { problems.add(fields.place(of: bodies[1]), "there is '\(bodies[0])' too; a request has one body") }
    if let first = bodies.first, method == "GET" || method == "HEAD" {
      problems.add(fields.place(of: first), "a \(method) request has no body")
    }
    var body: RequestTemplate.Body?
    if let template = compiler.value(fields["body"]) { body = .json(template) }
    if fields["form"] != nil { body = .form(compiler.members(fields["form"])) }
    if let template = compiler.value(fields["text"]) { body = .text(template) }
    var ok: Set<Int>?
    if let node = fields["ok"] { ok = readStatuses(node) }
    let name = fields.text("name")
    if let name, !isIdentifier(name) {
      problems.add(fields.place(of: "name"), "must be a name of letters, digits and _, not beginning with a digit")
    }
    let request = RequestTemplate(
      name: name, condition: self.compiler(declarations).condition(fields["when"]), method: method, path: path ?? .segments([]),
      query: compiler.members(fields["query"]), headers: compiler.members(fields["headers"]), body: body,
      answer: fields.word("answer", RequestTemplate.Answer.self) ?? .json, ok: ok, errors: readErrorRules(fields["errors"], known),
      reads: fields.flag("reads") ?? (method == "GET" || method == "HEAD"), authenticated: readAuthenticated(fields),
      timeout: fields.duration("timeout") ?? defaultTimeout, mayFail: fields.flag("mayFail") ?? false, rows: after.value(fields["rows"]),
      only: self.compiler(known.adding("row", .dyn)).condition(fields["only"]),
      paging: paging.flatMap { readPaging($0, after) },
      place: fields.place(of: fields["request"] == nil ? "url" : "request"))
    return path == nil ? nil : request
  }

  /// `auth: none` on a request.
  private func readAuthenticated(_ fields: Fields) -> Bool {
    guard let node = fields["auth"] else { return true }
    if node.scalar == .string("none") { return false }
    problems.add(node.place, "can only be 'none' here: a request without the credentials")
    return true
  }

  private func readPaging(_ fields: Fields, _ compiler: TemplateCompiler) -> Paging? {
    if fields["by"] == nil { _ = fields.required("by") }
    guard let style = fields.word("by", Paging.Style.self) else { return nil }
    if style == .token { _ = fields.required("next") }
    if style == .link, let node = fields["next"] { problems.add(node.place, "the Link header tells the next page") }
    return Paging(
      style: style, size: fields.int("size", 1...100_000) ?? defaultPageSize, total: compiler.value(fields["total"]),
      next: compiler.value(fields["next"]), all: fields.flag("all") ?? false)
  }

  func readErrorRules(_ node: YAMLNode?, _ declarations: Declarations) -> [ErrorRule] {
    guard let node else { return [] }
    guard let elements = node.elements else {
      problems.add(node.place, "must be a list of rules")
      return []
    }
    let compiler = compiler(declarations.adding("response", VariableTypes.response))
    return elements.compactMap { node in
      let fields = Fields(node, problems, allowed: ["status", "when", "code", "message", "field", "retryAfter"])
      guard let code = fields.text("code", required: true) else { return nil }
      if code != "ok", AdapterErrorCodes.named(code) == nil {
        let hint = nearest(code, in: AdapterErrorCodes.names).map { "; did you mean '\($0)'?" } ?? ""
        problems.add(
          fields.place(of: "code"), "unknown code '\(code)'; there are ok, \(AdapterErrorCodes.names.joined(separator: ", "))\(hint)")
      }
      if fields["status"] == nil, fields["when"] == nil { problems.add(node.place, "needs a status or a condition (when)") }
      return ErrorRule(
        statuses: fields["status"].map { readStatuses($0) } ?? [], condition: compiler.condition(fields["when"]), code: code,
        message: compiler.value(fields["message"]), field: compiler.value(fields["field"]), retryAfter: compiler.value(fields["retryAfter"])
      )
    }
  }

  private func readStatuses(_ node: YAMLNode) -> Set<Int> {
    var statuses: Set<Int> = []
    for element in node.elements ?? [node] {
      if let status = element.scalar?.int, 100...599 ~= status {
        statuses.insert(Int(status))
      } else {
        problems.add(element.place, "must be an HTTP status from 100 to 599")
      }
    }
    return statuses
  }

  private func isIdentifier(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == 0x5F || (first | 0x20) &- 0x61 < 26 else { return false }
    return name.utf8.allSatisfy { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
  }
}
