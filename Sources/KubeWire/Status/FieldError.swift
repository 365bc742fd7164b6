package import JSON

/// One fault of one field, in the words of Kubernetes' field.Error (kubernetes-wire E3).
package struct FieldError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    case required, invalid, notSupported, forbidden, duplicate, tooLong, tooMany, notFound, typeInvalid

    /// The cause's reason.
    package var reason: String {
      switch self {
      case .required: "FieldValueRequired"
      case .invalid: "FieldValueInvalid"
      case .notSupported: "FieldValueNotSupported"
      case .forbidden: "FieldValueForbidden"
      case .duplicate: "FieldValueDuplicate"
      case .tooLong: "FieldValueTooLong"
      case .tooMany: "FieldValueTooMany"
      case .notFound: "FieldValueNotFound"
      case .typeInvalid: "FieldValueTypeInvalid"
      }
    }

    var title: String {
      switch self {
      case .required: "Required value"
      case .invalid, .typeInvalid: "Invalid value"
      case .notSupported: "Unsupported value"
      case .forbidden: "Forbidden"
      case .duplicate: "Duplicate value"
      case .tooLong: "Too long"
      case .tooMany: "Too many"
      case .notFound: "Not found"
      }
    }
  }

  package var kind: Kind
  /// `spec.steps[0].name`; empty for the whole.
  package var field: String
  /// The value that is wrong; nil for the kinds that do not show it.
  package var badValue: JSONValue?
  package var detail: String

  package init(_ kind: Kind, field: String, badValue: JSONValue? = nil, detail: String = "") {
    self.kind = kind
    self.field = field
    self.badValue = badValue
    self.detail = detail
  }

  package static func required(_ field: String, _ detail: String = "") -> FieldError { FieldError(.required, field: field, detail: detail) }
  package static func invalid(_ field: String, _ value: JSONValue, _ detail: String) -> FieldError {
    FieldError(.invalid, field: field, badValue: value, detail: detail)
  }
  package static func typeInvalid(_ field: String, _ value: JSONValue, _ detail: String) -> FieldError {
    FieldError(.typeInvalid, field: field, badValue: value, detail: detail)
  }
  package static func forbidden(_ field: String, _ detail: String) -> FieldError { FieldError(.forbidden, field: field, detail: detail) }
  package static func duplicate(_ field: String, _ value: JSONValue) -> FieldError { FieldError(.duplicate, field: field, badValue: value) }
  package static func notFound(_ field: String, _ value: JSONValue) -> FieldError { FieldError(.notFound, field: field, badValue: value) }
  package static func tooLong(_ field: String, maximumBytes: Int) -> FieldError {
    FieldError(.tooLong, field: field, detail: "may not be more than \(maximumBytes) bytes")
  }
  package static func tooMany(_ field: String, actual: Int, maximum: Int) -> FieldError {
    FieldError(.tooMany, field: field, badValue: .int(Int64(actual)), detail: "must have at most \(maximum) items")
  }
  /// - Parameter supported: in the order in which they shall be named.
  package static func notSupported(_ field: String, _ value: JSONValue, supported: [String]) -> FieldError {
    FieldError(
      .notSupported, field: field, badValue: value,
      detail: supported.isEmpty ? "" : "supported values: " + supported.map(GoText.quoted).joined(separator: ", "))
  }

  /// The text without the field: `Invalid value: "x": must be …`.
  package var body: String {
    var text = kind.title
    switch kind {
    case .required, .forbidden, .tooLong: break
    default:
      if let badValue { text += ": \(GoText.shown(badValue))" }
    }
    if !detail.isEmpty { text += ": \(detail)" }
    return text
  }

  package var description: String { field.isEmpty ? body : "\(field): \(body)" }
}
