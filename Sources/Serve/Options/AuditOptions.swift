import ArgumentParser

/// What is written down of requests (docs/audit.md).
struct AuditOptions: ParsableArguments {
  @Option(
    help:
      "File for audit events, one JSON document a line, or - for standard output. Without --audit-policy-file every change is written down at level Metadata, and no read."
  )
  var auditLogPath: String?

  @Option(help: "Policy that says what is audited and how fully: audit.k8s.io/v1, kind Policy, YAML or JSON.")
  var auditPolicyFile: String?

  @Option(help: "Megabytes after which the file is put aside; 0 for never.")
  var auditLogMaxsize: Int = 100

  @Option(help: "Files put aside that are kept; 0 for all.")
  var auditLogMaxbackup: Int = 10

  @Option(help: "Days for which files put aside are kept; 0 for ever.")
  var auditLogMaxage: Int = 0

  func validate() throws {
    for (name, value) in [
      ("--audit-log-maxsize", auditLogMaxsize), ("--audit-log-maxbackup", auditLogMaxbackup), ("--audit-log-maxage", auditLogMaxage),
    ] where value < 0 {
      throw ValidationError("\(name) must not be negative")
    }
    if auditPolicyFile != nil, auditLogPath == nil {
      throw ValidationError("--audit-policy-file says what to audit, but not where to: give --audit-log-path, too")
    }
    if auditLogPath == "" { throw ValidationError("--audit-log-path must name a file, or be - for standard output") }
  }
}
