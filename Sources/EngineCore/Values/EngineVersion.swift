/// The version of workflow-engine, reported by `/health` and `/v1/version`.
package enum EngineVersion {
  package static let current = "0.1.0"
}
