internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

extension DeclarativeAdapter {
  /// The marks of rows, null where there is none or none is needed. A few missing ones are read one by one, many by the list.
  func marksOf(_ rows: [CELValue], _ mapping: RunMapping, _ mapper: RunMapper, _ call: Call) async throws(AdapterError) -> [CELValue] {
    guard let operations = file.marks else { return Array(repeating: .null, count: rows.count) }
    var found = [CELValue](repeating: .null, count: rows.count)
    var missing: [(index: Int, key: MarkCache.Key)] = []
    for (index, row) in rows.enumerated() {
      var variables = call.variables
      variables["row"] = row
      // A row that cannot be understood says so when it is mapped.
      guard (try? operations.condition.flag(variables)) == true, let uid = (try? operations.uid.text(variables)) ?? nil,
        let (identity, attempt) = try? mapper.identityAndAttempt(mapping, variables)
      else { continue }
      let key = MarkCache.Key(uid: uid, identity: identity, attempt: attempt)
      if let known = marks[key] { found[index] = CELValue(known) } else { missing.append((index, key)) }
    }
    if missing.isEmpty { return found }
    if missing.count > 5, let list = operations.list {
      var all: [String: JSONValue] = [:]
      var page: PageState? = PageState()
      while let current = page {
        let (documents, next) = try await documents(list, call, page: current)
        all.merge(documents) { $1 }
        page = next
      }
      for (index, key) in missing {
        let mark = all[key.uid] ?? .null
        marks[key] = mark
        found[index] = CELValue(mark)
      }
      return found
    }
    for (index, key) in missing {
      var own = call
      own.variables["uid"] = .string(key.uid)
      try await runner.run(operations.get.chain, &own)
      let mark = try runner.evaluating { () throws(ExpressionFailure) in try operations.get.document.json(own.variables) } ?? .null
      marks[key] = mark
      found[index] = CELValue(mark)
    }
    return found
  }

  /// One page of documents by uid.
  func documents(
    _ operation: (list: ListOperation, uid: ValueTemplate, document: ValueTemplate), _ call: Call, page: PageState
  ) async throws(AdapterError) -> ([String: JSONValue], PageState?) {
    var call = call
    guard let answer = try await runner.run(operation.list.chain, &call, page: page) else { return ([:], nil) }
    var documents: [String: JSONValue] = [:]
    for row in answer.rows ?? [] {
      call.variables["row"] = row
      let variables = call.variables
      // A document that somebody spoilt must not hide the others.
      var read: (String, JSONValue)?
      do throws(ExpressionFailure) {
        if let uid = try operation.uid.text(variables), let document = try operation.document.json(variables) { read = (uid, document) }
      } catch {
        continue
      }
      if let (uid, document) = read { documents[uid] = document }
    }
    let paging = operation.list.chain.requests.last?.paging
    let variables = call.variables
    let following = try runner.evaluating { () throws(ExpressionFailure) in
      try page.following(paging, answer: answer, variables) { row in
        var variables = variables
        variables["row"] = row
        return (try? operation.uid.text(variables)) ?? nil
      }
    }
    return (documents, following.page)
  }
}
