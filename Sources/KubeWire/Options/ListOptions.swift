internal import JSON

/// The query of a list, watch or deletecollection, parsed and checked (kubernetes-wire §5, §6).
package struct ListOptions: Sendable, Hashable {
  package var labelSelector: LabelSelector
  package var fieldSelector: FieldSelector
  /// 0 for none.
  package var limit: Int
  /// Empty for a first page.
  package var continueToken: String
  /// "" for the most recent state, "0" for any, else a decimal number.
  package var resourceVersion: String
  /// "", "Exact" or "NotOlderThan".
  package var resourceVersionMatch: String
  package var allowWatchBookmarks: Bool
  package var sendInitialEvents: Bool?
  /// nil when not given. Negative: over at once.
  package var timeoutSeconds: Int?
  package var watch: Bool

  /// The fields that every kind can be selected by.
  package static let commonFields: Set<String> = ["metadata.name", "metadata.namespace"]

  package init(
    labelSelector: LabelSelector = .everything, fieldSelector: FieldSelector = .everything, limit: Int = 0, continueToken: String = "",
    resourceVersion: String = "", resourceVersionMatch: String = "", allowWatchBookmarks: Bool = false, sendInitialEvents: Bool? = nil,
    timeoutSeconds: Int? = nil, watch: Bool = false
  ) {
    self.labelSelector = labelSelector
    self.fieldSelector = fieldSelector
    self.limit = limit
    self.continueToken = continueToken
    self.resourceVersion = resourceVersion
    self.resourceVersionMatch = resourceVersionMatch
    self.allowWatchBookmarks = allowWatchBookmarks
    self.sendInitialEvents = sendInitialEvents
    self.timeoutSeconds = timeoutSeconds
    self.watch = watch
  }

  /// - Parameter selectableFields: what a field selector may name; ``commonFields`` unless told.
  /// - Throws: 400 for values that do not parse, 422 for combinations that ValidateListOptions refuses.
  package init(query: QueryParameters, selectableFields: Set<String> = ListOptions.commonFields) throws(StatusError) {
    self.init(
      labelSelector: try LabelSelector(parsing: query["labelSelector"] ?? ""),
      fieldSelector: try FieldSelector(parsing: query["fieldSelector"] ?? "", allowed: selectableFields),
      limit: Int(min(max(0, try query.int("limit") ?? 0), Int64(Int32.max))), continueToken: query["continue"] ?? "",
      resourceVersion: query["resourceVersion"] ?? "", resourceVersionMatch: query["resourceVersionMatch"] ?? "",
      allowWatchBookmarks: query.bool("allowWatchBookmarks"), sendInitialEvents: query.optionalBool("sendInitialEvents"),
      timeoutSeconds: try query.int("timeoutSeconds").map { Int(Int32(clamping: $0)) }, watch: query.bool("watch"))
    setDefaults()
    try validate()
  }

  /// The version as a number; nil for "" and "0".
  package var version: UInt64? { UInt64(resourceVersion).flatMap { $0 == 0 ? nil : $0 } }

  /// A watch that begins with the present state says when that is done, whether it was asked to or not (SetListOptionsDefaults).
  private mutating func setDefaults() {
    guard watch, sendInitialEvents == nil, resourceVersionMatch.isEmpty, ["", "0"].contains(resourceVersion) else { return }
    sendInitialEvents = true
    resourceVersionMatch = "NotOlderThan"
  }

  /// What apis/meta/internalversion/validation and the storage layer refuse.
  package func validate() throws(StatusError) {
    let errors = watch ? watchErrors : listErrors
    guard errors.isEmpty else { throw .invalidOptions("ListOptions", errors) }
    try ResourceVersion.check(resourceVersion)
    if !watch, !continueToken.isEmpty, !["", "0"].contains(resourceVersion) {
      throw .badRequest("specifying resource version is not allowed when using continue")
    }
  }

  private var listErrors: [FieldError] {
    var errors: [FieldError] = []
    let match = "resourceVersionMatch"
    if !resourceVersionMatch.isEmpty {
      if resourceVersion.isEmpty {
        errors.append(.forbidden(match, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
      }
      if !continueToken.isEmpty { errors.append(.forbidden(match, "resourceVersionMatch is forbidden when continue is provided")) }
      if !["Exact", "NotOlderThan"].contains(resourceVersionMatch) {
        errors.append(.notSupported(match, .string(resourceVersionMatch), supported: ["Exact", "NotOlderThan", ""]))
      }
      if resourceVersionMatch == "Exact", resourceVersion == "0" {
        errors.append(.forbidden(match, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
      }
    }
    if sendInitialEvents != nil { errors.append(.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")) }
    return errors
  }

  private var watchErrors: [FieldError] {
    var errors: [FieldError] = []
    let match = "resourceVersionMatch"
    if sendInitialEvents != nil, resourceVersionMatch != "NotOlderThan" {
      errors.append(.forbidden(match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    }
    if !resourceVersionMatch.isEmpty {
      if sendInitialEvents == nil {
        errors.append(.forbidden(match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
      }
      if resourceVersionMatch != "NotOlderThan" {
        errors.append(.notSupported(match, .string(resourceVersionMatch), supported: ["NotOlderThan"]))
      }
      if !continueToken.isEmpty { errors.append(.forbidden(match, "resourceVersionMatch is forbidden when continue is provided")) }
    }
    return errors
  }
}

/// A resourceVersion in a query.
package enum ResourceVersion {
  /// - Throws: 400 when it is neither empty nor a decimal number.
  package static func check(_ text: String) throws(StatusError) {
    guard !text.isEmpty, UInt64(text) == nil || text.hasPrefix("+") else { return }
    let outOfRange = text.allSatisfy { $0.isASCII && $0.isNumber }
    let error = FieldError.invalid("resourceVersion", .string(text), GoText.parseFailure("ParseUint", text, outOfRange: outOfRange))
    throw .badRequest("invalid resource version: \(error)")
  }
}
