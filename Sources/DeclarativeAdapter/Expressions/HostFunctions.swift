internal import CEL
internal import Certificates
internal import JSON
internal import OrderedCollections

/// What expressions of adapter files can call beside the language's own functions; docs/expressions.md has an example of each,
/// and a test runs it.
enum HostFunctions {
  static let all: [CELFunction] = texts + digests + json + times + maps + names

  private static func text(_ name: String, _ body: @escaping @Sendable (String) throws(CELError) -> CELValue, result: CELType = .string)
    -> CELFunction
  {
    CELFunction(name, parameters: [.string], result: result) { (arguments: [CELValue]) throws(CELError) -> CELValue in
      guard let text = arguments[0].string else { throw CELError("\(name)() wants a string, not \(article(arguments[0].kindName))") }
      return try body(text)
    }
  }

  private static func one(
    _ name: String, _ parameter: CELType, _ result: CELType, _ body: @escaping @Sendable (CELValue) throws(CELError) -> CELValue
  ) -> CELFunction {
    CELFunction(name, parameters: [parameter], result: result) { (arguments: [CELValue]) throws(CELError) -> CELValue in
      try body(arguments[0])
    }
  }

  private static let texts: [CELFunction] = [
    text("percentEncode", { .string(percentEncoded($0)) }),
    one("queryString", .map(.string, .dyn), .string) { (value: CELValue) throws(CELError) in
      var pairs: [String] = []
      for (key, value) in value.entries ?? [] {
        guard let name = key.value.string else { throw CELError("queryString() wants string keys") }
        for element in value.isList ? value.elements ?? [] : [value] where !element.isNothing {
          pairs.append("\(percentEncoded(name))=\(percentEncoded(try spelled(element, in: "queryString")))")
        }
      }
      return .string(pairs.joined(separator: "&"))
    },
  ]

  private static let digests: [CELFunction] = [text("sha256", { .string(Digest.hex(Digest.sha256(Array($0.utf8)))) })]

  private static let json: [CELFunction] = [
    one("toJSON", .dyn, .string) { (value: CELValue) throws(CELError) in .string(try value.json().text) },
    text(
      "fromJSON",
      { (text: String) throws(CELError) in
        do throws(JSONError) { return CELValue(try JSONDocument(text).root) } catch { throw CELError("fromJSON(): \(error.description)") }
      }, result: .dyn),
  ]

  private static let times: [CELFunction] = [
    one("fromEpoch", .dyn, .string) { (value: CELValue) throws(CELError) in .string(try time(value, unit: 1_000_000, "fromEpoch")) },
    one("fromEpochMillis", .dyn, .string) { (value: CELValue) throws(CELError) in .string(try time(value, unit: 1000, "fromEpochMillis")) },
    text("toEpoch", { (text: String) throws(CELError) in .int(try moment(text, "toEpoch").microseconds / 1_000_000) }, result: .int),
    text("toEpochMillis", { (text: String) throws(CELError) in .int(try moment(text, "toEpochMillis").microseconds / 1000) }, result: .int),
    text(
      "httpDate",
      { (text: String) throws(CELError) in
        guard let time = Timestamp(httpDate: text) else { throw CELError("httpDate(): not a date of HTTP: '\(text.prefix(40))'") }
        return .string(time.description)
      }),
    CELFunction("earlier", parameters: [.string, .string], result: .string) { (arguments: [CELValue]) throws(CELError) -> CELValue in
      guard let span = Duration(adapterText: arguments[1].string ?? "") else {
        throw CELError("earlier() wants a span such as \"10s\" as its second argument")
      }
      return .string((try moment(arguments[0].string ?? "", "earlier") - span).description)
    },
  ]

  private static let maps: [CELFunction] = [
    CELFunction("merge", parameters: [.dyn, .dyn], result: .map(.string, .dyn)) { (arguments: [CELValue]) throws(CELError) -> CELValue in
      var entries: CELMap.Entries = [:]
      for argument in arguments where !argument.isNothing {
        guard let more = argument.entries else { throw CELError("merge() wants maps, not \(article(argument.kindName))") }
        for (key, value) in more { entries[key] = value }
      }
      return .map(CELMap(entries))
    },
    one("fromEntries", .list(.dyn), .map(.string, .dyn)) { (value: CELValue) throws(CELError) in
      var entries: CELMap.Entries = [:]
      for pair in value.elements ?? [] {
        guard let pair = pair.elements, pair.count == 2, let name = pair[0].string else {
          throw CELError("fromEntries() wants pairs [name, value]")
        }
        entries[.string(name)] = pair[1]
      }
      return .map(CELMap(entries))
    },
    one("dropNulls", .dyn, .map(.string, .dyn)) { (value: CELValue) throws(CELError) in
      guard let members = value.entries else { throw CELError("dropNulls() wants a map, not \(article(value.kindName))") }
      var entries: CELMap.Entries = [:]
      for (key, value) in members where !value.isNothing { entries[key] = value }
      return .map(CELMap(entries))
    },
  ]

  private static let names: [CELFunction] = [text("dns1123", { .string(dns1123($0)) })]

  private static func time(_ value: CELValue, unit: Int64, _ name: String) throws(CELError) -> String {
    switch value {
    case .int(let number):
      let (microseconds, overflow) = number.multipliedReportingOverflow(by: unit)
      guard !overflow, abs(microseconds) < 200_000_000_000_000_000 else { throw CELError("\(name)(): out of range") }
      return Timestamp(microseconds: microseconds).description
    case .double(let number) where number.isFinite && abs(number) * Double(unit) < 2e17:
      return Timestamp(microseconds: Int64(number * Double(unit))).description
    default: throw CELError("\(name)() wants a number, not \(article(value.kindName))")
    }
  }

  private static func moment(_ text: String, _ name: String) throws(CELError) -> Timestamp {
    guard let time = Timestamp(text) else { throw CELError("\(name)(): not a time in RFC 3339: '\(text.prefix(40))'") }
    return time
  }

  static func spelled(_ value: CELValue, in name: String) throws(CELError) -> String {
    switch value {
    case .int(let int): return String(int)
    case .uint(let uint): return String(uint)
    case .bool(let bool): return bool ? "true" : "false"
    case .double(let double): return double == double.rounded() && abs(double) < 1e15 ? String(Int64(double)) : double.description
    case .optional(let inner?): return try spelled(inner, in: name)
    default:
      if let text = value.string { return text }
      if case .string(let text)? = try? value.json() { return text }
      throw CELError("\(name)(): \(article(value.kindName)) has no spelling in a query")
    }
  }
}
