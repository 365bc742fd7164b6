internal import JSON
internal import OrderedCollections

/// The way from `kubectl apply` to `kubectl apply --server-side` (kubernetes-wire S4).
extension FieldManager {
  static let kubectl = "kubectl"
  private static let annotation = "kubectl.kubernetes.io/last-applied-configuration"
  /// All annotations of an object together.
  private static let maximumAnnotationBytes = 256 * 1024

  /// What client-side apply set and nobody changed since; nil when it never was, or cannot be read.
  func lastApplied(in live: JSONValue) -> FieldSet? {
    guard let text = live["metadata"]?["annotations"]?[Self.annotation]?.string, !text.isEmpty,
      let applied = try? JSONValue(parsing: text), applied.object != nil, applied["apiVersion"]?.string == apiVersion
    else { return nil }
    let comparison = Comparison(from: applied, to: live, schema)
    return FieldSet(of: applied, schema).subtracting(comparison.modified).subtracting(comparison.added).subtracting(comparison.removed)
  }

  /// With the annotation kept up, where there is one, so that one can go back to client-side apply.
  static func withLastApplied(_ applied: JSONValue, in object: JSONValue) -> JSONValue {
    guard var annotations = object["metadata"]?["annotations"]?.object, annotations[annotation]?.string?.isEmpty == false else {
      return object
    }
    var configuration = applied
    if var own = applied["metadata"]?["annotations"]?.object {
      own[annotation] = nil
      configuration["metadata"]?["annotations"] = .object(own)
    }
    let text = configuration.canonical.text + "\n"
    guard annotations[annotation]?.string != text else { return object }
    annotations[annotation] = .string(text)
    let size = annotations.reduce(0) { $0 + $1.key.utf8.count + ($1.value.string?.utf8.count ?? 0) }
    if size > maximumAnnotationBytes { annotations[annotation] = nil }
    var object = object
    object["metadata"]?["annotations"] = .object(annotations)
    return object
  }
}
