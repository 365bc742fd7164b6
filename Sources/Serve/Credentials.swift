import AdapterKit
import Configuration
import Foundation

/// Reads a backend's credentials, anew at each use, so that a rotated Secret counts at once. Messages name the place, never the value.
struct Credentials: Sendable {
  let backend: String
  let sources: [String: GatewayConfiguration.CredentialSource]

  /// As adapters want it.
  var reader: @Sendable (_ name: String) throws(AdapterError) -> String {
    { name throws(AdapterError) in try read(name) }
  }

  private func read(_ name: String) throws(AdapterError) -> String {
    switch sources[name] {
    case .file(let path):
      guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
        throw AdapterError(.unauthenticated, "credential \"\(name)\" of backend \"\(backend)\": cannot read \(path)")
      }
      return text.trimmingCharacters(in: .whitespacesAndNewlines)
    case .environment(let variable):
      guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else {
        throw AdapterError(
          .unauthenticated, "credential \"\(name)\" of backend \"\(backend)\": the environment variable \(variable) is not set")
      }
      return value
    case nil:
      throw AdapterError(
        .unauthenticated, "backend \"\(backend)\" has no credential \"\(name)\"; add it to credentials in the configuration")
    }
  }
}
