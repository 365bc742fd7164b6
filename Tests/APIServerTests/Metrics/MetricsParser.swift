/// A strict reader of Prometheus' text format: what promtool would refuse is refused here, too.
struct MetricsParser {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  struct Sample {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  struct Family {
    var name: String
    var type: String
    var help: String
    var samples: [Sample] = []
  }

  private(set) var families: [String: Family] = [:]

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Failure(description: "the last line has no end") }
    var current: String?
    var help: (name: String, text: String)?
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      func fail(_ why: String) -> Failure { Failure(description: "\(why): \(line)") }
      if line.hasPrefix("# HELP ") {
        let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, Self.isName(parts[0], colons: true) else { throw fail("no HELP line") }
        help = (parts[0], parts[1])
      } else if line.hasPrefix("# TYPE ") {
        let parts = line.dropFirst(7).split(separator: " ").map(String.init)
        guard parts.count == 2, ["counter", "gauge", "histogram"].contains(parts[1]) else { throw fail("no TYPE line") }
        guard help?.name == parts[0] else { throw fail("TYPE without its HELP") }
        guard families[parts[0]] == nil else { throw fail("a family comes twice") }
        families[parts[0]] = Family(name: parts[0], type: parts[1], help: help!.text)
        current = parts[0]
        help = nil
      } else {
        let sample = try Self.sample(String(line))
        guard let name = current, let family = families[name] else { throw fail("a sample before its TYPE") }
        let names = family.type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
        guard names.contains(sample.name) else { throw fail("a sample outside its family") }
        guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
          throw fail("a series comes twice")
        }
        families[name]!.samples.append(sample)
      }
    }
    for family in families.values { try Self.check(family) }
  }

  /// The sum of what has these labels.
  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    let all = families.values.flatMap(\.samples).filter { sample in
      sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
    }
    return all.isEmpty ? nil : all.reduce(0) { $0 + $1.value }
  }

  private static func check(_ family: Family) throws {
    func fail(_ why: String) -> Failure { Failure(description: "\(family.name): \(why)") }
    if family.type == "counter" {
      guard family.samples.allSatisfy({ $0.value >= 0 }) else { throw fail("a counter below 0") }
    }
    guard family.type == "histogram" else { return }
    let series = Dictionary(grouping: family.samples) { sample in
      sample.labels.filter { $0.key != "le" }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
    for samples in series.values {
      let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
      var last = (bound: -Double.infinity, count: -1.0)
      for bucket in buckets {
        guard let bound = bucket.labels["le"].flatMap(MetricsParser.number) else { throw fail("a bucket without bound") }
        guard bound > last.bound, bucket.value >= last.count else { throw fail("buckets out of order") }
        last = (bound, bucket.value)
      }
      let counts = samples.filter { $0.name.hasSuffix("_count") }.map(\.value)
      guard last.bound == .infinity, counts == [last.count], samples.count(where: { $0.name.hasSuffix("_sum") }) == 1 else {
        throw fail("a histogram that is not whole")
      }
    }
  }

  private static func sample(_ line: String) throws -> Sample {
    func fail(_ why: String) -> Failure { Failure(description: "\(why): \(line)") }
    var rest = Substring(line)
    let name = rest.prefix { $0 != "{" && $0 != " " }
    guard isName(String(name), colons: true) else { throw fail("no metric name") }
    rest = rest.dropFirst(name.count)
    var labels: [String: String] = [:]
    if rest.first == "{" {
      rest = rest.dropFirst()
      while rest.first != "}" {
        let label = rest.prefix { $0 != "=" }
        guard isName(String(label), colons: false), labels[String(label)] == nil else { throw fail("no label name, or twice") }
        rest = rest.dropFirst(label.count + 1)
        guard rest.first == "\"" else { throw fail("no quote") }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
          guard character == "\\" else {
            value.append(character)
            continue
          }
          switch rest.popFirst() {
          case "\\": value.append("\\")
          case "\"": value.append("\"")
          case "n": value.append("\n")
          default: throw fail("an escape that there is not")
          }
        }
        labels[String(label)] = value
        if rest.first == "," { rest = rest.dropFirst() } else if rest.first != "}" { throw fail("no comma") }
      }
      rest = rest.dropFirst()
    }
    guard rest.first == " ", let value = number(String(rest.dropFirst())) else { throw fail("no value") }
    return Sample(name: String(name), labels: labels, value: value)
  }

  private static func number(_ text: String) -> Double? {
    switch text {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: text.contains { !"0123456789.e+-".contains($0) } ? nil : Double(text)
    }
  }

  private static func isName(_ text: String, colons: Bool) -> Bool {
    guard let first = text.unicodeScalars.first else { return false }
    func isGood(_ scalar: Unicode.Scalar) -> Bool {
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_" || colons && scalar == ":")
    }
    return isGood(first) && text.unicodeScalars.allSatisfy { isGood($0) || ("0"..."9").contains($0) }
  }
}
