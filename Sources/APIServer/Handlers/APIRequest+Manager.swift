internal import HTTPMessage
internal import KubeWire
internal import Translation

extension APIRequest {
  /// Who writes, for managedFields: `fieldManager`, else the program that User-Agent names, up to its version (kubernetes-wire S5).
  func manager(_ options: WriteOptions, operation: ManagedFields.Operation = .update) -> WriteManager {
    guard options.fieldManager.isEmpty else { return WriteManager(options.fieldManager, operation: operation) }
    let agent = http.headers["User-Agent"] ?? ""
    let program = agent.prefix { $0 != "/" }.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    var name = String(String.UnicodeScalarView(program))
    while name.utf8.count > 128 { name.removeLast() }
    return WriteManager(name.isEmpty ? "unknown" : name, operation: operation)
  }
}
