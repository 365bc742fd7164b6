internal import JSON

/// How fields that no type has, and fields that come twice, are treated (kubernetes-wire C3).
package enum FieldValidation: String, Sendable, Hashable {
  case ignore = "Ignore"
  case warn = "Warn"
  case strict = "Strict"
}

/// The query of a create, update or patch (kubernetes-wire C1).
package struct WriteOptions: Sendable, Hashable {
  /// Check everything, store nothing, answer what would be stored.
  package var dryRun: Bool
  /// Who owns the fields that are written; empty when not given.
  package var fieldManager: String
  package var fieldValidation: FieldValidation

  package init(dryRun: Bool = false, fieldManager: String = "", fieldValidation: FieldValidation = .warn) {
    self.dryRun = dryRun
    self.fieldManager = fieldManager
    self.fieldValidation = fieldValidation
  }

  /// - Parameter kind: CreateOptions, UpdateOptions or PatchOptions, for the refusal.
  /// - Throws: 422 with all faults.
  package init(query: QueryParameters, kind: String) throws(StatusError) {
    var errors: [FieldError] = []
    dryRun = DryRun.parse(query.all("dryRun"), &errors)
    fieldManager = query["fieldManager"] ?? ""
    let isLong = fieldManager.utf8.count > 128
    if isLong { errors.append(.tooLong("fieldManager", maximumBytes: 128)) }
    for index in fieldManager.unicodeScalars.indices where !isLong && !GoText.isPrintable(fieldManager.unicodeScalars[index]) {
      let code = String(fieldManager.unicodeScalars[index].value, radix: 16, uppercase: true)
      let position = fieldManager.utf8.distance(from: fieldManager.startIndex, to: index)
      let why = "invalid character U+\(GoText.padded(code, 4)) (at position \(position))"
      errors.append(.invalid("fieldManager", .string(fieldManager), why))
    }
    let validation = query["fieldValidation"] ?? ""
    fieldValidation = FieldValidation(rawValue: validation) ?? .warn
    if !validation.isEmpty, FieldValidation(rawValue: validation) == nil {
      errors.append(.notSupported("fieldValidation", .string(validation), supported: ["", "Ignore", "Strict", "Warn"]))
    }
    guard errors.isEmpty else { throw .invalidOptions(kind, errors) }
  }
}

enum DryRun {
  /// `All` is the only value; absent means no. An empty one is refused as every other is: who sends it does not mean a real write.
  static func parse(_ values: [String], _ errors: inout [FieldError]) -> Bool {
    if values.contains(where: { $0 != "All" }) {
      errors.append(.notSupported("dryRun", .array(values.map { .string($0) }), supported: ["All"]))
    }
    return !values.isEmpty
  }
}
