import APIServer
import Foundation
import Logging

/// The audit log, made from the flags.
struct AuditWiring: Sendable {
  let auditor: Auditor
  private let log: AuditLog

  /// - Returns: nil without --audit-log-path.
  /// - Throws: ``StartFailure`` with everything that is wrong with the policy, and when the file cannot be written.
  init?(_ options: AuditOptions, metrics: ServerMetrics, logger: Logger) throws {
    guard let path = options.auditLogPath else { return nil }
    let policy = try options.auditPolicyFile.map(Self.policy) ?? .changes
    let file: any AuditFile
    do {
      file =
        path == "-"
        ? AuditStandardOutput()
        : try RotatingFile(
          path,
          limits: .init(
            maximumSize: options.auditLogMaxsize << 20, maximumBackups: options.auditLogMaxbackup,
            maximumAge: options.auditLogMaxage > 0 ? .seconds(options.auditLogMaxage * 86_400) : nil))
    } catch {
      throw StartFailure("--audit-log-path: \(error)")
    }
    log = AuditLog(file, metrics: metrics, logger: logger)
    auditor = Auditor(policy: policy, sink: log, metrics: metrics)
  }

  /// Writes what is there. After the server, so that the ends of watches are in it.
  func close() async { await log.close() }

  private static func policy(_ path: String) throws -> AuditPolicy {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw StartFailure("--audit-policy-file: cannot read \(path)")
    }
    do {
      return try AuditPolicyReader.read(Array(data), file: path)
    } catch {
      throw StartFailure(error.problems)
    }
  }
}
