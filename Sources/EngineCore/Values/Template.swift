package import JSON

/// A definition that jobs are started from.
package struct Template: Hashable, Sendable {
  package var name: String
  package var description: String?
  /// JSON Schema of the parameters; see `ParameterSchema` for what is understood.
  package var parameters: JSONObject?
  package var steps: [StepSpec]
  package var timeoutSeconds: Int64?
  package var updatedAt: Timestamp
  package var revision: Int64 = 1
  /// Read from `--templates`: cannot be changed through the API and is not stored.
  package var isFromFile = false
}
