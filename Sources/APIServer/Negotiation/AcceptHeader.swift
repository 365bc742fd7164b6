package import KubeWire

/// An Accept header as a list of wishes (kubernetes-wire N1).
package struct AcceptHeader: Sendable {
  package struct Clause: Sendable, Hashable {
    /// Lower case.
    package var type: String
    package var parameters: [String: String]
    package var quality: Double
  }

  /// What kind of answer is to be given a form.
  package enum Answer: Sendable { case object, list, watch }

  /// By quality, then in the order of the header.
  package let clauses: [Clause]

  /// - Parameter text: nil and empty mean anything.
  package init(_ text: String?) {
    let text = text.flatMap { $0.isEmpty ? nil : $0 } ?? "*/*"
    let clauses = text.split(separator: ",").compactMap(Self.clause)
    self.clauses = clauses.enumerated()
      .sorted { ($0.element.quality, -$0.offset) > ($1.element.quality, -$1.offset) }.map(\.element)
  }

  /// The first wish that can be met.
  ///
  /// - Throws: 406, also for a watch in YAML, which has no form for a stream (kubernetes-wire N7); 400 for an `includeObject` that is none.
  package func form(for answer: Answer, kind: String, query: QueryParameters) throws(StatusError) -> NegotiatedForm {
    for clause in clauses {
      guard let type = Self.mediaType(clause.type), type == .json || answer != .watch,
        let form = try Self.form(clause, for: answer, kind: kind, query: query)
      else { continue }
      return NegotiatedForm(form: form, mediaType: type)
    }
    throw .notAcceptable(
      accepted: answer == .watch ? ["application/json", "application/json;stream=watch"] : ["application/json", "application/yaml"])
  }

  /// - Returns: nil for a clause whose `as` we do not write.
  private static func form(_ clause: Clause, for answer: Answer, kind: String, query: QueryParameters) throws(StatusError) -> ResponseForm?
  {
    guard let wish = clause.parameters["as"], !wish.isEmpty else { return .plain }
    guard clause.parameters["g"] == "meta.k8s.io", let version = ResponseForm.MetaVersion(rawValue: clause.parameters["v"] ?? "") else {
      return nil
    }
    switch wish {
    case "Table": return .table(version, try ResponseForm.IncludedObject(query: query["includeObject"] ?? ""))
    case "PartialObjectMetadata":
      guard answer != .list else {
        throw .notAcceptable("you requested PartialObjectMetadata, but the requested object is a list (\(kind)List)")
      }
      return .partial(version)
    case "PartialObjectMetadataList":
      if answer == .list { return .partial(version) }
      guard answer == .watch else {
        throw .notAcceptable("you requested PartialObjectMetadataList, but the requested object is not a list (\(kind))")
      }
      return nil
    default: return nil
    }
  }

  /// The first of the types that a client takes, by its own order; nil for none.
  package func first(of types: [String]) -> String? {
    for clause in clauses {
      if clause.type == "*/*" { return types.first }
      if let type = types.first(where: { $0 == clause.type || clause.type.hasSuffix("/*") && $0.hasPrefix(clause.type.dropLast()) }) {
        return type
      }
    }
    return nil
  }

  /// nil for a type that we do not write.
  private static func mediaType(_ type: String) -> MediaType? {
    switch type {
    case "application/json", "*/*", "application/*": .json
    case "application/yaml": .yaml
    default: nil
    }
  }

  private static func clause(_ text: Substring) -> Clause? {
    let parts = text.split(separator: ";").map(trimmed)
    guard let type = parts.first, !type.isEmpty else { return nil }
    var clause = Clause(type: type.lowercased(), parameters: [:], quality: 1)
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map(trimmed)
      guard pair.count == 2 else { continue }
      if pair[0] == "q" { clause.quality = Double(pair[1]) ?? 1 } else { clause.parameters[String(pair[0])] = String(pair[1]) }
    }
    return clause.quality > 0 ? clause : nil
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
