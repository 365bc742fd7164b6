/// docs/api.md, made from the same description as OpenAPI, validation and tables, so that it cannot say anything else.
package struct APIReference {
  private let group: APIGroup

  package init(_ group: APIGroup = APIGroup()) { self.group = group }

  package var markdown: String {
    var lines = [
      "# The API `\(group.apiVersion)`", "",
      "Made from the description of the kinds in `Sources/KubeWire/Kinds`; `kubectl explain` prints the same. Do not edit: run",
      "`UPDATE_DOCS=1 swift test --filter APIReferenceTests`.", "",
    ]
    for kind in group.kinds { lines += section(kind) }
    return lines.joined(separator: "\n") + "\n"
  }

  private func section(_ kind: KindDescription) -> [String] {
    var lines = ["## \(kind.kind)", "", kind.description, ""]
    lines += ["| | |", "|---|---|", "| resource | `\(kind.plural)`, \(kind.isNamespaced ? "in a namespace" : "of the cluster") |"]
    lines.append("| names | \(([kind.singular] + kind.shortNames).map { "`\($0)`" }.joined(separator: ", ")) |")
    if !kind.categories.isEmpty { lines.append("| categories | \(code(kind.categories)) |") }
    lines.append("| verbs | \(code(kind.verbs)) |")
    lines.append("| field selectors | \(code(kind.selectableFields.sorted())) |")
    lines.append("| columns | \(kind.columns.map { $0.priority == 0 ? $0.name : "\($0.name) (wide)" }.joined(separator: ", ")) |")
    lines.append("")
    if !kind.subresources.isEmpty {
      lines += ["| subresource | verbs | |", "|---|---|---|"]
      lines += kind.subresources.map { "| `\($0.name)` | \(code($0.verbs)) | \(cell($0.description)) |" }
      lines.append("")
    }
    lines += ["| field | type | |", "|---|---|---|"]
    for field in kind.fields { lines += rows(field, path: field.name) }
    return lines + [""]
  }

  private func rows(_ field: Schema.Field, path: String) -> [String] {
    let row = "| `\(path)` | \(type(field.schema))\(field.isRequired ? ", required" : "") | \(cell(field.schema.description)) |"
    return [row] + members(field.schema, path: path)
  }

  private func members(_ schema: Schema, path: String) -> [String] {
    switch schema.form {
    case .object(let fields, _): fields.flatMap { rows($0, path: "\(path).\($0.name)") }
    case .array(let element, _): members(element, path: path + "[]")
    // A moment is one value; what else is shared has fields that are worth a line.
    case .reference(let definition) where definition !== MetaSchemas.time: members(definition.schema, path: path)
    default: []
    }
  }

  private func type(_ schema: Schema) -> String {
    switch schema.form {
    case .string(let format, let allowed):
      allowed.isEmpty ? format.map { "string (\($0))" } ?? "string" : allowed.map { "`\($0)`" }.joined(separator: ", ")
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .array(let element, let kind):
      "\(kind == .set ? "set" : "list") of \(type(element))\(kind.keys.isEmpty ? "" : " by \(kind.keys.joined(separator: ", "))")"
    case .object(let fields, let open): fields.isEmpty && open ? "object of any form" : "object"
    case .map(let value): "map to \(type(value))"
    case .anything: "any value"
    case .reference(let definition): definition === MetaSchemas.time ? "time (RFC 3339)" : "object"
    }
  }

  private func code(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }

  /// A bar would end the cell.
  private func cell(_ text: String) -> String { String(text.flatMap { $0 == "|" ? ["\\", "|"] : [$0] }) }
}
