/// The tree of a regular expression in RE2's syntax.
indirect enum RegexSyntax {
  case empty
  case set(ScalarSet)
  case sequence([RegexSyntax])
  case choice([RegexSyntax])
  /// nil is no upper bound.
  case repetition(RegexSyntax, minimum: Int, maximum: Int?, greedy: Bool)
  /// 1 and up.
  case group(RegexSyntax, Int)
  case assertion(Assertion)

  enum Assertion { case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary }
}

/// Code points as sorted ranges that do not touch.
struct ScalarSet: Equatable {
  private(set) var ranges: [ClosedRange<UInt32>]

  init(_ ranges: [ClosedRange<UInt32>]) {
    var merged: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
  }

  static let all = ScalarSet([0...0x10FFFF])
  static let notNewline = ScalarSet([0x0A...0x0A]).inverted
  static let digit = ScalarSet([0x30...0x39])
  static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20])

  var inverted: ScalarSet {
    var out: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { out.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10FFFF { out.append(next...0x10FFFF) }
    return ScalarSet(out)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  func contains(_ scalar: UInt32) -> Bool {
    if ranges.count <= 4 {
      for range in ranges where range.contains(scalar) { return true }
      return false
    }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= scalar
  }

  /// With the other cases of its letters.
  var foldingCase: ScalarSet {
    var out = ranges
    // Folding range by range is linear in their sizes; wide ranges hold both cases of all but rare letters already.
    for range in ranges {
      if range.count > 2000 {
        for scalar in UInt32(0x41)...0x5A where range.contains(scalar) { out.append(scalar + 32...scalar + 32) }
        for scalar in UInt32(0x61)...0x7A where range.contains(scalar) { out.append(scalar - 32...scalar - 32) }
        continue
      }
      for value in range {
        guard let scalar = Unicode.Scalar(value) else { continue }
        for mapping in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping, scalar.properties.titlecaseMapping] {
          let scalars = mapping.unicodeScalars
          guard scalars.count == 1, let other = scalars.first?.value, other != value else { continue }
          out.append(other...other)
          // Three letters may share a case: k, K and the Kelvin sign.
          guard let properties = Unicode.Scalar(other)?.properties else { continue }
          for back in [properties.lowercaseMapping.unicodeScalars, properties.uppercaseMapping.unicodeScalars] where back.count == 1 {
            out.append(back.first!.value...back.first!.value)
          }
        }
        switch value {
        case 0x4B, 0x6B: out.append(0x212A...0x212A)
        case 0x53, 0x73: out.append(0x17F...0x17F)
        case 0xC5, 0xE5: out.append(0x212B...0x212B)
        default: break
        }
      }
    }
    return ScalarSet(out)
  }
}
