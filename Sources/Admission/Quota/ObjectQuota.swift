import JSON

/// The limit on the number of our objects that a ResourceQuota sets (`count/workflows.workflow.example.com`).
struct ObjectQuota: Sendable {
  let namespace: String
  let name: String
  /// As written.
  let limit: String
  /// nil when it is no number of objects.
  let count: Int?

  /// nil for a quota that says nothing of `resource`, or that has scopes: those count pods only.
  init?(_ object: JSONValue, resource: String) {
    let spec = object["spec"]
    guard let hard = spec?["hard"]?[resource], spec?["scopes"]?.array?.isEmpty != false else { return nil }
    guard spec?["scopeSelector"]?["matchExpressions"]?.array?.isEmpty != false else { return nil }
    namespace = object["metadata"]?["namespace"]?.string ?? ""
    name = object["metadata"]?["name"]?.string ?? ""
    limit = hard.string ?? hard.text
    count = Self.whole(limit)
  }

  /// A quantity that is a whole number: `5`, `2k`, `1Ki`, `1e3`.
  static func whole(_ text: String) -> Int? {
    let suffixes: [(String, Int)] = [
      ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000),
      ("T", 1_000_000_000_000),
    ]
    for (suffix, factor) in suffixes where text.hasSuffix(suffix) {
      guard let number = Int(text.dropLast(suffix.count)) else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
    if let exponent = text.firstIndex(where: { $0 == "e" || $0 == "E" }) {
      guard let number = Int(text[..<exponent]), let power = Int(text[text.index(after: exponent)...]), (0...18).contains(power) else {
        return nil
      }
      let (product, overflow) = number.multipliedReportingOverflow(by: (0..<power).reduce(1) { value, _ in value * 10 })
      return overflow ? nil : product
    }
    return Int(text)
  }
}
