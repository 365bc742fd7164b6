/// What Kubernetes accepts as names, label keys and label values, and the texts it refuses others with (kubernetes-wire C9, C12).
package enum Names {
  package static let maximumSubdomain = 253
  package static let maximumLabel = 63
  /// Letters and digits of generated names: no vowels, nothing that reads like another (kubernetes-wire C10).
  package static let generatedAlphabet = Array("bcdfghjklmnpqrstvwxz2456789")

  package static let subdomainMessage =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
  package static let labelMessage =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
  private static let qualifiedText =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
  package static let labelValueMessage =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

  package static func isDNS1123Subdomain(_ name: String) -> Bool { subdomainErrors(name).isEmpty }
  package static func isDNS1123Label(_ name: String) -> Bool { labelErrors(name).isEmpty }

  /// Empty when the name is good.
  /// - Parameter unit: of what is too long: Kubernetes has characters for names, and bytes for all that is in labels.
  package static func subdomainErrors(_ name: String, unit: String = "characters") -> [String] {
    var errors = tooLong(name, maximumSubdomain, unit)
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if !parts.allSatisfy({ isLowerLabel($0) }) { errors.append(subdomainMessage) }
    return errors
  }

  /// Empty when the label is good.
  package static func labelErrors(_ name: String) -> [String] {
    var errors = tooLong(name, maximumLabel, "characters")
    if !isLowerLabel(name.utf8[...]) { errors.append(labelMessage) }
    return errors
  }

  /// A label key, annotation key or finalizer: `[prefix/]name`. Empty when good.
  package static func qualifiedNameErrors(_ key: String) -> [String] {
    var errors: [String] = []
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    let name: Substring
    switch parts.count {
    case 1: name = parts[0]
    case 2:
      name = parts[1]
      if parts[0].isEmpty {
        errors.append("prefix part must be non-empty")
      } else {
        errors += subdomainErrors(String(parts[0]), unit: "bytes").map { "prefix part \($0)" }
      }
    default: return ["a valid label key \(qualifiedText) with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    }
    if name.isEmpty {
      errors.append("name part must be non-empty")
    } else {
      errors += tooLong(name, maximumLabel, "bytes").map { "name part \($0)" }
    }
    if !isQualifiedPart(name.utf8) { errors.append("name part \(qualifiedText)") }
    return errors
  }

  /// Empty when good.
  package static func labelValueErrors(_ value: String) -> [String] {
    var errors = tooLong(value, maximumLabel, "bytes")
    if !value.isEmpty, !isQualifiedPart(value.utf8) { errors.append(labelValueMessage) }
    return errors
  }

  /// A name from `metadata.generateName`: the base, cut to 58, and five characters.
  package static func generated(from base: String, using random: inout some RandomNumberGenerator) -> String {
    String(base.prefix(58)) + String((0..<5).map { _ in generatedAlphabet.randomElement(using: &random)! })
  }

  private static func tooLong(_ text: some StringProtocol, _ limit: Int, _ unit: String) -> [String] {
    text.utf8.count > limit ? ["must be no more than \(limit) \(unit)"] : []
  }

  private static func isLowerLabel(_ bytes: Substring.UTF8View) -> Bool {
    guard let first = bytes.first, let last = bytes.last, first != UInt8(ascii: "-"), last != UInt8(ascii: "-") else { return false }
    return bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isQualifiedPart(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLower(byte | 0x20) && byte >= 0x41 }
    guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
    return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
  }

  private static func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
