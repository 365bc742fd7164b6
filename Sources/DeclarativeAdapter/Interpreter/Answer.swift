internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

/// One answer of the engine, parsed as far as its request asked for.
struct Answer: Sendable {
  var status: Int
  var headers: [(name: String, value: String)]
  var body: CELValue
  /// The engine's clock where it sends a Date, else ours, at the beginning of the request.
  var date: Timestamp
  var rows: [CELValue]?
  /// The rows before `only` left some out: what paging counts.
  var found: [CELValue] = []
  var count: Int { found.count }

  /// - Throws: a message when the body is not what `form` says and the status is a good one.
  init(_ response: TransportResponse, form: RequestTemplate.Answer, accepted: Bool, began: Timestamp) throws(AnswerError) {
    status = response.status
    headers = response.headers
    date = response.header("date").flatMap { Timestamp(httpDate: $0) } ?? began
    body = .null
    let bytes = response.body
    switch form {
    case .none where accepted: break
    case .text where accepted: body = .string(String(decoding: bytes, as: UTF8.self))
    default:
      if bytes.isEmpty { break }
      do throws(JSONError) {
        body = CELValue(try JSONDocument(bytes).root)
      } catch {
        if accepted { throw AnswerError(message: "the answer is not JSON (\(error))") }
        body = .string(String(decoding: bytes.prefix(4096), as: UTF8.self))
      }
    }
  }

  func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }

  /// As expressions see it.
  var variable: CELValue {
    var first: CELMap.Entries = [:]
    var all: OrderedDictionary<String, [CELValue]> = [:]
    for (name, value) in headers {
      let name = name.lowercased()
      if first[.string(name)] == nil { first[.string(name)] = .string(value) }
      all[name, default: []].append(.string(value))
    }
    var lists: CELMap.Entries = [:]
    for (name, values) in all { lists[.string(name)] = .list(values) }
    return .object([
      "status": .int(Int64(status)), "headers": .map(CELMap(first)), "headerValues": .map(CELMap(lists)), "body": body,
      "date": .string(date.description), "rows": .list(rows ?? []),
    ])
  }
}

struct AnswerError: Error { var message: String }
