/// A field selector (kubernetes-wire L14): `metadata.name=a,status.phase!=Running`.
package struct FieldSelector: Sendable, Hashable {
  package struct Requirement: Sendable, Hashable {
    package var field: String
    package var equal: Bool
    package var value: String
  }

  package var requirements: [Requirement]

  /// Matches everything.
  package static let everything = FieldSelector(requirements: [])

  package init(requirements: [Requirement]) { self.requirements = requirements }

  /// - Parameter allowed: the paths that can be selected by; nil for any, as an authorizer wants it.
  /// - Throws: 400 for a text that is no selector, and for other fields.
  package init(parsing text: String, allowed: Set<String>?) throws(StatusError) {
    requirements = []
    for term in Self.terms(of: text) where !term.isEmpty {
      guard let (field, equal, raw) = Self.split(term) else {
        throw .badRequest("invalid selector: '\(text)'; can't understand '\(term)'")
      }
      let value = try Self.unescaped(raw)
      guard allowed?.contains(field) ?? true else {
        throw .badRequest("field label not supported: \(field)")
      }
      requirements.append(Requirement(field: field, equal: equal, value: value))
    }
  }

  package var isEmpty: Bool { requirements.isEmpty }

  /// The one name that `metadata.name=` asks for; it becomes the name in the authorization attributes (kubernetes-wire U6).
  package var exactName: String? { requirements.first { $0.field == "metadata.name" && $0.equal }?.value }

  /// The one namespace that `metadata.namespace=` asks for.
  package var exactNamespace: String? { requirements.first { $0.field == "metadata.namespace" && $0.equal }?.value }

  /// - Parameter fields: values by path; one that is missing counts as empty.
  package func matches(_ fields: [String: String]) -> Bool {
    requirements.allSatisfy { ((fields[$0.field] ?? "") == $0.value) == $0.equal }
  }

  private static func terms(of text: String) -> [String] {
    var terms = [""]
    var escaped = false
    for character in text {
      if character == ",", !escaped {
        terms.append("")
      } else {
        terms[terms.count - 1].append(character)
      }
      escaped = !escaped && character == "\\"
    }
    return terms
  }

  private static func split(_ term: String) -> (field: String, equal: Bool, value: String)? {
    let bytes = Array(term.utf8)
    for (index, byte) in bytes.enumerated() {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      let isNotEqual = byte == UInt8(ascii: "!") && next == UInt8(ascii: "=")
      guard isNotEqual || byte == UInt8(ascii: "=") else { continue }
      let length = isNotEqual || next == UInt8(ascii: "=") ? 2 : 1
      return (
        String(decoding: bytes[..<index], as: UTF8.self), !isNotEqual, String(decoding: bytes[(index + length)...], as: UTF8.self)
      )
    }
    return nil
  }

  /// A value as it stands in the text of a selector.
  package static func escaped(_ value: String) -> String {
    value.unicodeScalars.map { ["\\", ",", "="].contains($0) ? "\\\($0)" : String($0) }.joined()
  }

  /// `\\`, `\,` and `\=`. - Throws: 400 for another escape, and for a bare `,` or `=`.
  private static func unescaped(_ text: String) throws(StatusError) -> String {
    var result = String.UnicodeScalarView()
    var escaped = false
    for character in text.unicodeScalars {
      if escaped {
        guard character == "\\" || character == "," || character == "=" else {
          throw .badRequest("invalid field selector: invalid escape sequence: \\\(character)")
        }
        result.append(character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else if character == "," || character == "=" {
        throw .badRequest("invalid field selector: unescaped character in value: \(character.value)")
      } else {
        result.append(character)
      }
    }
    if escaped { throw .badRequest("invalid field selector: invalid escape sequence: \\") }
    return String(result)
  }
}
