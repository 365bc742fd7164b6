package import JSON
internal import OrderedCollections

extension FieldManager {
  /// What keeps a configuration from being applied, in Kubernetes' words, such as two elements with the same key in a keyed list; nil if nothing does. Ask it
  /// before ``apply(_:to:managed:manager:subresource:force:now:)``.
  package func defect(of applied: JSONValue) -> String? {
    var defects: [String] = []
    Self.find(&defects, in: applied, schema, at: "")
    guard !defects.isEmpty else { return nil }
    // A body can be wrong in a hundred thousand places.
    let told = defects.prefix(100)
    let list = told.count == 1 ? told[0] : "errors:\n" + told.map { "  \($0)" }.joined(separator: "\n")
    let (namespace, name) = (applied["metadata"]?["namespace"]?.string ?? "", applied["metadata"]?["name"]?.string ?? "")
    return "failed to create typed patch object (\(namespace)/\(name); \(apiVersion), Kind=\(applied["kind"]?.string ?? "")): \(list)"
  }

  private static func find(_ defects: inout [String], in value: JSONValue, _ schema: Schema, at path: String) {
    switch schema.form {
    case .reference(let definition): find(&defects, in: value, definition.schema, at: path)
    case .object(let fields, _):
      for field in fields { if let member = value[field.name] { find(&defects, in: member, field.schema, at: "\(path).\(field.name)") } }
    case .map(let type): for (name, member) in value.object ?? [:] { find(&defects, in: member, type, at: "\(path).\(name)") }
    case .array(let type, let kind):
      var seen: Set<PathElement> = []
      for (index, element) in (value.array ?? []).enumerated() {
        guard kind != .atomic else {
          find(&defects, in: element, type, at: "\(path)[\(index)]")
          continue
        }
        guard let name = PathElement(element: element, of: kind) else {
          defects.append("\(path): element \(index): \(reason(element, kind))")
          continue
        }
        if !seen.insert(name).inserted { defects.append("\(path): duplicate entries for key \(name.text)") }
        find(&defects, in: element, type, at: path + name.text)
      }
    case .string, .integer, .number, .boolean, .anything: break
    }
  }

  private static func reason(_ element: JSONValue, _ kind: Schema.ListKind) -> String {
    guard case .map(let keys) = kind else {
      return element.isNull
        ? "associative list without keys has an element that's an explicit null"
        : "associative list without keys has an element that's a map type"
    }
    if element.isNull { return "associative list with keys may not have a null element" }
    if element.object == nil { return "associative list with keys may not have non-map elements" }
    let names = keys.map(GoText.quoted).joined(separator: " ")
    return
      "associative list with keys has an element that omits all key fields [\(names)] (and doesn't have default values for any key fields)"
  }
}
