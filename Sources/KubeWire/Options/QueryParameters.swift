/// The decoded query of a request (kubernetes-wire U2, U3).
package struct QueryParameters: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// In the order of the query; names may repeat.
  package var items: [(name: String, value: String)]

  package init(dictionaryLiteral elements: (String, String)...) { items = elements.map { (name: $0.0, value: $0.1) } }

  /// - Parameter query: percent-encoded, without the "?". What is not decodable is taken as it stands.
  package init(_ query: String = "") {
    items = query.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
    }
  }

  /// The first value of that name.
  package subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }

  package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

  /// Absent is false.
  package func bool(_ name: String) -> Bool { optionalBool(name) ?? false }

  /// nil when absent. As Go converts them: `0` and `false`, in any case, are false, anything else is true, the empty text too.
  package func optionalBool(_ name: String) -> Bool? { self[name].map { !($0 == "0" || $0.lowercased() == "false") } }

  /// nil when absent. - Throws: 400 with strconv's text.
  package func int(_ name: String) throws(StatusError) -> Int64? {
    guard let text = self[name] else { return nil }
    guard let value = Int64(text) else {
      let digits = text.drop { $0 == "-" || $0 == "+" }
      let isNumber = !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
      throw .badRequest(GoText.parseFailure("ParseInt", text, outOfRange: isNumber))
    }
    return value
  }

  package static func == (a: QueryParameters, b: QueryParameters) -> Bool {
    a.items.elementsEqual(b.items) { $0.name == $1.name && $0.value == $1.value }
  }

  package func hash(into hasher: inout Hasher) {
    for item in items {
      hasher.combine(item.name)
      hasher.combine(item.value)
    }
  }

  private static func decoded(_ text: Substring) -> String { PercentEncoding.decoded(text, plusIsSpace: true) ?? String(text) }
}
