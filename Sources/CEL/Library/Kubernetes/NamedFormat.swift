internal import JSON

/// A format that texts can be checked against: `format.dns1123Label().validate(x)`.
final class NamedFormat: CELOpaque {
  let name: String
  /// Why a text is not of the format; nothing when it is.
  let problems: @Sendable (String) -> [String]

  init(_ name: String, _ problems: @escaping @Sendable (String) -> [String]) {
    self.name = name
    self.problems = problems
  }

  var typeName: String { "kubernetes.NamedFormat" }
  func isEqual(to other: any CELOpaque) -> Bool { (other as? NamedFormat)?.name == name }

  /// Letters, digits and what is given, with a letter or digit at both ends.
  private static func isName(
    _ text: some StringProtocol, inside: String = "-", lowercase: Bool = true, letterFirst: Bool = false, prefix: Bool = false
  ) -> Bool {
    let bytes = Array(text.utf8)
    func isLetter(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 || (!lowercase && byte &- 0x41 < 26) }
    func isEnd(_ byte: UInt8) -> Bool { isLetter(byte) || byte &- 0x30 < 10 }
    guard let first = bytes.first, let last = bytes.last, letterFirst ? isLetter(first) : isEnd(first) else { return false }
    guard isEnd(last) || (prefix && last == 0x2D) else { return false }
    return bytes.allSatisfy { isEnd($0) || inside.utf8.contains($0) }
  }

  private static func check(_ text: String, _ maximum: Int, _ rule: String, _ isGood: Bool) -> [String] {
    var problems: [String] = []
    if text.utf8.count > maximum { problems.append("must be no more than \(maximum) characters") }
    if !isGood { problems.append(rule) }
    return problems
  }

  private static let label = "must consist of lower case alphanumeric characters or '-', and start and end with an alphanumeric character"
  private static let subdomain =
    "must consist of lower case alphanumeric characters, '-' or '.', and start and end with an alphanumeric character"
  private static let label1035 =
    "must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
  private static let qualified =
    "must consist of alphanumeric characters, '-', '_' or '.', and start and end with an alphanumeric character"

  private static func isSubdomain(_ text: String, prefix: Bool = false) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.enumerated().allSatisfy { isName($1, prefix: prefix && $0 == parts.count - 1) }
  }

  static let all: [String: NamedFormat] = {
    var formats: [String: NamedFormat] = [:]
    func add(_ name: String, _ problems: @escaping @Sendable (String) -> [String]) { formats[name] = NamedFormat(name, problems) }
    add("dns1123Label") { check($0, 63, label, isName($0)) }
    add("dns1123LabelPrefix") { check($0, 63, label, isName($0, prefix: true)) }
    add("dns1123Subdomain") { check($0, 253, subdomain, isSubdomain($0)) }
    add("dns1123SubdomainPrefix") { check($0, 253, subdomain, isSubdomain($0, prefix: true)) }
    add("dns1035Label") { check($0, 63, label1035, isName($0, letterFirst: true)) }
    add("dns1035LabelPrefix") { check($0, 63, label1035, isName($0, letterFirst: true, prefix: true)) }
    add("labelValue") { $0.isEmpty ? [] : check($0, 63, qualified, isName($0, inside: "-_.", lowercase: false)) }
    add("qualifiedName") { text in
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
      guard parts.count <= 2 else { return [qualified] }
      var problems = check(parts[parts.count - 1], 63, qualified, isName(parts[parts.count - 1], inside: "-_.", lowercase: false))
      if parts.count == 2 { problems += check(parts[0], 253, subdomain, isSubdomain(parts[0])) }
      return problems
    }
    add("uri") { URLValue($0) == nil ? ["invalid URI"] : [] }
    add("uuid") { text in
      let groups = text.split(separator: "-", omittingEmptySubsequences: false)
      let good = groups.map(\.utf8.count) == [8, 4, 4, 4, 12] && groups.allSatisfy { $0.allSatisfy { $0.isHexDigit && $0.isASCII } }
      return good ? [] : ["does not match the form of a UUID"]
    }
    add("byte") { Base64.decode($0) == nil ? ["invalid base64"] : [] }
    add("date") { CELTimestamp(parsing: $0 + "T00:00:00Z") == nil ? ["invalid date"] : [] }
    add("datetime") { CELTimestamp(parsing: $0) == nil ? ["invalid datetime"] : [] }
    return formats
  }()
}

extension Library {
  private static let named = CELType.abstract("kubernetes.NamedFormat")

  static let formats: [CELFunction] =
    NamedFormat.all.values.map { format in CELFunction.many("format." + format.name, [], named) { _ throws(CELError) in .opaque(format) } }
    + [
      .unary("format.named", .string, .optional(named)) { value throws(CELError) in
        .optional(NamedFormat.all[text(value)].map { .opaque($0) })
      },
      .binary("validate", member: true, named, .string, .optional(.list(.string)), cost: .traverse) { value, text throws(CELError) in
        guard case .opaque(let opaque) = value, let format = opaque as? NamedFormat else { throw noOverload("validate", [value]) }
        let problems = format.problems(Library.text(text))
        return .optional(problems.isEmpty ? nil : .list(problems.map { .string($0) }))
      },
    ]
}
