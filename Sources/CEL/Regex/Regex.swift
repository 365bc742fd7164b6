/// A compiled regular expression; matching takes time linear in the text, whatever the pattern (a simulation of all threads at once, after Pike).
final class Regex: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    case split(Int, Int)
    case jump(Int)
    case save(Int)
    case assert(RegexSyntax.Assertion)
    case match
  }

  /// Bounds memory and the time per character of the text.
  static let maximumInstructions = 12_000

  let pattern: String
  let groups: Int
  let names: [String: Int]
  let instructions: [Instruction]
  private let sets: [ScalarSet]
  /// The whole pattern when it is plain text.
  private let literal: String?

  /// - Throws: ``CELError`` of kind evaluation when the pattern is not RE2 syntax or too large.
  init(_ pattern: String) throws(CELError) {
    guard pattern.utf8.count <= 16 << 10 else { throw CELError("invalid regular expression: longer than 16 KiB") }
    var parser = RegexParser(pattern)
    let tree = try parser.parse()
    var builder = Builder()
    try builder.emit(.save(0))
    try builder.add(tree)
    try builder.emit(.save(1))
    try builder.emit(.match)
    self.pattern = pattern
    groups = parser.groups
    names = parser.names
    instructions = builder.instructions
    sets = builder.sets
    literal = Regex.literal(tree)
  }

  private static func literal(_ tree: RegexSyntax) -> String? {
    func one(_ tree: RegexSyntax) -> Unicode.Scalar? {
      guard case .set(let set) = tree, set.ranges.count == 1, set.ranges[0].count == 1 else { return nil }
      return Unicode.Scalar(set.ranges[0].lowerBound)
    }
    switch tree {
    case .empty: return ""
    case .set: return one(tree).map { String($0) }
    case .sequence(let items):
      var out = String.UnicodeScalarView()
      for item in items {
        guard let scalar = one(item) else { return nil }
        out.append(scalar)
      }
      return String(out)
    default: return nil
    }
  }

  private struct Builder {
    var instructions: [Instruction] = []
    var sets: [ScalarSet] = []

    mutating func emit(_ instruction: Instruction) throws(CELError) {
      guard instructions.count < Regex.maximumInstructions else { throw CELError("invalid regular expression: too large") }
      instructions.append(instruction)
    }

    mutating func add(_ tree: RegexSyntax) throws(CELError) {
      switch tree {
      case .empty: break
      case .set(let set):
        let index = sets.suffix(8).firstIndex(of: set) ?? sets.count
        if index == sets.count { sets.append(set) }
        try emit(.set(index))
      case .sequence(let items): for item in items { try add(item) }
      case .choice(let branches):
        var ends: [Int] = []
        for (i, branch) in branches.enumerated() {
          guard i + 1 < branches.count else {
            try add(branch)
            break
          }
          let split = instructions.count
          try emit(.split(split + 1, 0))
          try add(branch)
          ends.append(instructions.count)
          try emit(.jump(0))
          instructions[split] = .split(split + 1, instructions.count)
        }
        for end in ends { instructions[end] = .jump(instructions.count) }
      case .group(let inner, let index):
        try emit(.save(2 * index))
        try add(inner)
        try emit(.save(2 * index + 1))
      case .assertion(let assertion): try emit(.assert(assertion))
      case .repetition(let inner, let minimum, let maximum, let greedy):
        func split(_ into: Int, _ out: Int) -> Instruction { greedy ? .split(into, out) : .split(out, into) }
        let before = instructions.count
        for i in 0..<minimum {
          try add(inner)
          // What matches only the empty text needs no second copy, and copies of nothing would not count against the limit.
          if i == 0, instructions.count == before { return }
        }
        if let maximum {
          var splits: [Int] = []
          for _ in minimum..<max(minimum, maximum) {
            splits.append(instructions.count)
            try emit(.jump(0))
            try add(inner)
          }
          for at in splits { instructions[at] = split(at + 1, instructions.count) }
        } else {
          let loop = instructions.count
          try emit(.jump(0))
          try add(inner)
          try emit(.jump(loop))
          instructions[loop] = split(loop + 1, instructions.count)
        }
      }
    }
  }

  // MARK: Matching

  /// Whether the pattern matches anywhere in the text.
  func matches(_ text: String) -> Bool {
    if let literal { return text.withBytes { text in literal.withBytes { find($0, in: text) != nil } } }
    return text.withBytes { run($0, from: 0) != nil }
  }

  /// Byte offsets of the leftmost match at or after `start`, and of its groups: start and end of each in turn, -1 for a group that took no part.
  /// `scanned` is how many bytes were looked at to know.
  func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int, scanned: inout Int) -> [Int]? {
    var matcher = Matcher(instructions: instructions, sets: sets, slots: 2 * (groups + 1))
    let found = matcher.run(text, from: start)
    scanned = matcher.position - start
    return found
  }

  private func run(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Int]? {
    var matcher = Matcher(instructions: instructions, sets: sets, slots: 0)
    return matcher.run(text, from: start)
  }
}

/// One run over a text: two lists of threads, in order of priority.
private struct Matcher {
  let instructions: [Regex.Instruction]
  let sets: [ScalarSet]
  let slots: Int
  private var current = ThreadList()
  private var next = ThreadList()
  /// Instructions still to be looked at while threads are added: iterative, so that long patterns need no stack.
  private var pending: [(Int, [Int]?)] = []

  /// How far the run got.
  private(set) var position = 0

  private final class ThreadList {
    var at: [Int] = []
    var captures: [[Int]] = []
    var seen: [Int] = []
    /// The position at which an instruction was last added, plus 1.
    var mark = 0
  }

  init(instructions: [Regex.Instruction], sets: [ScalarSet], slots: Int) {
    self.instructions = instructions
    self.sets = sets
    self.slots = slots
    current.seen = Array(repeating: 0, count: instructions.count)
    next.seen = current.seen
  }

  mutating func run(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Int]? {
    var found: [Int]?
    position = start
    var previous: UInt32? = start > 0 ? lastScalar(text, before: start) : nil
    current.mark = 1
    let blank = Array(repeating: -1, count: slots)
    while true {
      let (scalar, length) = decode(text, position)
      if found == nil { add(0, blank, to: current, position, previous, scalar) }
      if current.at.isEmpty, found != nil { break }
      next.at.removeAll(keepingCapacity: true)
      next.captures.removeAll(keepingCapacity: true)
      next.mark = current.mark + 1
      let following = length > 0 ? decode(text, position + length).0 : nil
      threads: for i in current.at.indices {
        switch instructions[current.at[i]] {
        case .set(let index):
          if let scalar, sets[index].contains(scalar) {
            add(current.at[i] + 1, slots > 0 ? current.captures[i] : [], to: next, position + length, scalar, following)
          }
        case .match:
          found = slots > 0 ? current.captures[i] : []
          if slots == 0 { return found }
          // Threads after this one have less priority.
          break threads
        default: break
        }
      }
      guard let scalar else { break }
      previous = scalar
      position += length
      swap(&current, &next)
    }
    return found
  }

  private mutating func add(
    _ start: Int, _ captures: [Int], to list: ThreadList, _ position: Int, _ before: UInt32?, _ after: UInt32?
  ) {
    pending.removeAll(keepingCapacity: true)
    var captures = captures
    var at = start
    while true {
      var follow: Int?
      if list.seen[at] != list.mark {
        list.seen[at] = list.mark
        switch instructions[at] {
        case .jump(let target): follow = target
        case .split(let first, let second):
          pending.append((second, slots > 0 ? captures : nil))
          follow = first
        case .save(let slot):
          if slot < slots { captures[slot] = position }
          follow = at + 1
        case .assert(let assertion): if holds(assertion, position, before, after) { follow = at + 1 }
        case .set, .match:
          list.at.append(at)
          if slots > 0 { list.captures.append(captures) }
        }
      }
      if let follow {
        at = follow
      } else if let (target, saved) = pending.popLast() {
        at = target
        if let saved { captures = saved }
      } else {
        return
      }
    }
  }

  private func holds(_ assertion: RegexSyntax.Assertion, _ position: Int, _ before: UInt32?, _ after: UInt32?) -> Bool {
    switch assertion {
    case .textStart: before == nil
    case .textEnd: after == nil
    case .lineStart: before == nil || before == 0x0A
    case .lineEnd: after == nil || after == 0x0A
    case .wordBoundary: isWord(before) != isWord(after)
    case .notWordBoundary: isWord(before) == isWord(after)
    }
  }

  private func isWord(_ scalar: UInt32?) -> Bool {
    guard let scalar else { return false }
    return switch scalar {
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
    default: false
    }
  }

  /// The code point at an offset and its length; nil and 0 at the end.
  private func decode(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> (UInt32?, Int) {
    guard at < text.count else { return (nil, 0) }
    let first = UInt32(text[at])
    func rest(_ offset: Int) -> UInt32 { UInt32(text[at + offset] & 0x3F) }
    // The text is a Swift string's and so valid UTF-8.
    switch first {
    case 0..<0x80: return (first, 1)
    case 0..<0xE0: return ((first & 0x1F) << 6 | rest(1), 2)
    case 0..<0xF0: return ((first & 0x0F) << 12 | rest(1) << 6 | rest(2), 3)
    default: return ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4)
    }
  }

  private func lastScalar(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> UInt32? {
    var at = end - 1
    while at > 0, text[at] & 0xC0 == 0x80 { at -= 1 }
    return decode(text, at).0
  }
}
