internal import JSON

/// How Go prints values in messages.
package enum GoText {
  /// `%q`: in double quotes, with the escapes of Go (the same as JSON's for everything that people write).
  package static func quoted(_ text: String) -> String { JSONValue.string(text).text }

  static func shown(_ value: JSONValue) -> String {
    // Go shows large values whole; a message of more than this helps nobody.
    let text = value.text
    return text.utf8.count <= 1024 ? text : String(text.prefix(1024)) + "…"
  }

  /// The text of strconv.ParseInt and ParseUint's refusal.
  package static func parseFailure(_ function: String, _ text: String, outOfRange: Bool = false) -> String {
    "strconv.\(function): parsing \(quoted(text)): \(outOfRange ? "value out of range" : "invalid syntax")"
  }
}
