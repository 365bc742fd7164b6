internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import YAMLText

/// Bodies as events hold them.
enum AuditBody {
  /// JSON, also of a body in YAML; nil for one that is empty or neither.
  static func json(_ bytes: [UInt8], type: String?, omitManagedFields: Bool) -> JSONValue? {
    guard !bytes.isEmpty else { return nil }
    var value = try? JSONValue(parsing: bytes)
    if value == nil, type?.lowercased().contains("yaml") ?? false { value = try? YAMLText.json(bytes, schema: .kubernetes) }
    return omitManagedFields ? value.map(withoutManagedFields) : value
  }

  /// Of an object, the items of a list and the rows of a table.
  private static func withoutManagedFields(_ value: JSONValue) -> JSONValue {
    var value = value
    if value["metadata"]?["managedFields"] != nil { value["metadata"]?["managedFields"] = nil }
    if let items = value["items"]?.array { value["items"] = .array(items.map(withoutManagedFields)) }
    if let rows = value["rows"]?.array {
      value["rows"] = .array(
        rows.map { row in
          guard let object = row["object"] else { return row }
          var row = row
          row["object"] = withoutManagedFields(object)
          return row
        })
    }
    return value
  }

  /// A refusal repeats what is wrong, and that can be most of what was sent.
  private static func limit(_ status: inout JSONObject) {
    if let message = status["message"]?.string { status["message"] = .string(shortened(message, to: maximumMessage)) }
    guard var details = status["details"]?.object else { return }
    for (member, value) in details {
      if let text = value.string { details[member] = .string(cut(text, to: 253)) }
    }
    if let causes = details["causes"], causes.encoded.count > maximumMessage { details["causes"] = nil }
    status["details"] = .object(details)
  }

  private static let maximumMessage = 4096

  /// Says so where it is not whole.
  static func shortened(_ text: String, to count: Int) -> String { text.utf8.count <= count ? text : cut(text, to: count) + "...TRUNCATED" }

  static func cut(_ text: String, to count: Int) -> String {
    guard text.utf8.count > count else { return text }
    // Not in the middle of a character.
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: count)
    while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }

  /// What the answer itself tells: its Status when it is one, and the object it holds.
  struct Answer {
    var status: JSONObject
    var name: String?
    var uid: String?
  }

  /// - Parameter isWrite: the answer to a read is looked into only when it is a refusal, since it can be long.
  static func answer(_ response: HTTPResponse, isWrite: Bool) -> Answer {
    var answer = Answer(status: ["metadata": [:], "code": .int(Int64(response.status))])
    guard isWrite || response.status >= 400, case .bytes(let bytes) = response.body, !bytes.isEmpty, let document = try? JSONDocument(bytes)
    else { return answer }
    let root = document.root
    guard root["kind"]?.string == "Status", root["apiVersion"]?.string == "v1" else {
      answer.name = root["metadata"]?["name"]?.string
      answer.uid = root["metadata"]?["uid"]?.string
      return answer
    }
    var status: JSONObject = ["metadata": [:]]
    for member in ["status", "message", "reason", "details"] {
      if let value = root[member] { status[member] = value.value }
    }
    status["code"] = .int(Int64(response.status))
    limit(&status)
    answer.status = status
    answer.name = root["details"]?["name"]?.string
    answer.uid = root["details"]?["uid"]?.string
    return answer
  }
}
