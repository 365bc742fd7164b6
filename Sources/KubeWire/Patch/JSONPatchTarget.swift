internal import JSON
internal import OrderedCollections

/// The value that a patch works on, with what its operations have cost so far.
struct JSONPatchTarget {
  typealias Failure = JSONPatch.Failure

  private(set) var value: JSONValue
  private var copiedBytes = 0
  /// Elements and members that had to move up or down for others. Ten thousand insertions at the front of a list of a million would take minutes.
  private var moved = 0
  private static let maximumMoved = 50_000_000
  /// A copy of a value into itself doubles its depth: two dozen of them would make a value that nothing can walk through.
  private static let maximumDepth = JSONLimits().maximumDepth

  init(_ value: JSONValue) { self.value = value }

  mutating func add(_ new: JSONValue, at path: JSONPointer) throws(Failure) {
    try checkDepth("add", path, new)
    guard let last = path.tokens.last else {
      value = new
      return
    }
    let missing = "add operation does not apply: doc is missing path: \(GoText.quoted(path.text)): missing value"
    var moved = 0
    try Self.change(&value, path.tokens.dropLast(), missing: missing) { parent throws(Failure) in
      switch parent {
      case .object(var members):
        parent = .null
        members[last] = new
        parent = .object(members)
      case .array(var elements):
        guard let number = last == "-" ? elements.count : JSONPointer.index(last) else { throw Self.notAnIndex("add", path, last) }
        // Of the places of the longer list: -1 is the one behind the last element.
        guard let index = JSONPointer.place(number, in: elements.count + 1) else { throw Self.invalidIndex("add", path, number) }
        parent = .null
        moved = elements.count - index
        elements.insert(new, at: index)
        parent = .array(elements)
      default: throw .inapplicable(missing)
      }
    }
    try charge(moved)
  }

  @discardableResult
  mutating func remove(_ path: JSONPointer) throws(Failure) -> JSONValue {
    guard let last = path.tokens.last else { throw .inapplicable("remove operation does not apply: the whole document cannot be removed") }
    let missing = "remove operation does not apply: doc is missing path: \(GoText.quoted(path.text)): missing value"
    var moved = 0
    var removed: JSONValue?
    try Self.change(&value, path.tokens.dropLast(), missing: missing) { parent throws(Failure) in
      switch parent {
      case .object(var members):
        parent = .null
        moved = members.count
        removed = members.removeValue(forKey: last)
        parent = .object(members)
      case .array(var elements):
        guard let number = JSONPointer.index(last) else { throw Self.notAnIndex("remove", path, last) }
        guard let index = JSONPointer.place(number, in: elements.count) else { throw Self.invalidIndex("remove", path, number) }
        parent = .null
        moved = elements.count - index
        removed = elements.remove(at: index)
        parent = .array(elements)
      default: throw .inapplicable(missing)
      }
    }
    guard let removed else {
      throw .inapplicable("error in remove for path: '\(path.text)': Unable to remove nonexistent key: \(last): missing value")
    }
    try charge(moved)
    return removed
  }

  mutating func replace(_ path: JSONPointer, by new: JSONValue) throws(Failure) {
    try checkDepth("replace", path, new)
    guard let last = path.tokens.last else {
      value = new
      return
    }
    let missing = "replace operation does not apply: doc is missing path: \(path.text): missing value"
    try Self.change(&value, path.tokens.dropLast(), missing: missing) { parent throws(Failure) in
      switch parent {
      case .object(var members):
        parent = .null
        members[last] = new
        parent = .object(members)
      case .array(var elements):
        guard let index = Self.place(last, in: elements) else {
          throw .inapplicable("replace operation does not apply: doc is missing key: \(path.text): missing value")
        }
        parent = .null
        elements[index] = new
        parent = .array(elements)
      default: throw .inapplicable(missing)
      }
    }
  }

  mutating func move(_ from: JSONPointer, to path: JSONPointer) throws(Failure) {
    guard from != path else {
      guard find(from) != nil else { throw Self.missingSource("move", from) }
      return
    }
    guard !path.tokens.starts(with: from.tokens) else {
      throw .inapplicable("move operation does not apply: '\(from.text)' cannot be moved into itself")
    }
    guard find(from) != nil else { throw Self.missingSource("move", from) }
    try add(try remove(from), at: path)
  }

  mutating func copy(_ from: JSONPointer, to path: JSONPointer) throws(Failure) {
    guard let source = find(from) else { throw Self.missingSource("copy", from) }
    copiedBytes += source.encoded.count
    guard copiedBytes <= JSONPatch.maximumCopiedBytes else {
      throw .tooLarge(
        "Unable to complete the copy, the accumulated size increase of copy is \(copiedBytes), exceeding the limit "
          + "\(JSONPatch.maximumCopiedBytes)")
    }
    try add(source, at: path)
  }

  func test(_ path: JSONPointer, _ expected: JSONValue) throws(Failure) {
    let found = find(path)
    if let found, found.isSame(as: expected) { return }
    if found == nil {
      // A missing member of an object that is there counts as null; a missing element does not.
      guard let parent = find(path.tokens.dropLast()) else {
        throw .inapplicable("test operation does not apply: is missing path: \(path.text): missing value")
      }
      guard parent.object != nil else {
        throw .inapplicable("error in test for path: '\(path.text)': Unable to access invalid index: \(path.tokens.last ?? "")")
      }
      if expected.isNull { return }
    }
    throw .inapplicable("testing value \(path.text) failed: test failed")
  }

  private func find(_ path: JSONPointer) -> JSONValue? { find(path.tokens[...]) }

  private func find(_ tokens: ArraySlice<String>) -> JSONValue? {
    var place = value
    for token in tokens {
      switch place {
      case .object(let members):
        guard let member = members[token] else { return nil }
        place = member
      case .array(let elements):
        guard let index = Self.place(token, in: elements) else { return nil }
        place = elements[index]
      default: return nil
      }
    }
    return place
  }

  private static func place(_ token: String, in elements: [JSONValue]) -> Int? {
    JSONPointer.index(token).flatMap { JSONPointer.place($0, in: elements.count) }
  }

  /// Works on one place without copying what is around it: each container is taken out of its parent while it is changed, and put back when it failed too.
  private static func change(
    _ value: inout JSONValue, _ tokens: ArraySlice<String>, missing: String, _ body: (inout JSONValue) throws(Failure) -> Void
  ) throws(Failure) {
    guard let token = tokens.first else { return try body(&value) }
    switch value {
    case .object(var members):
      guard var member = members[token] else { throw .inapplicable(missing) }
      value = .null
      members[token] = .null
      defer { value = .object(members) }
      defer { members[token] = member }
      try change(&member, tokens.dropFirst(), missing: missing, body)
    case .array(var elements):
      guard let index = Self.place(token, in: elements) else { throw .inapplicable(missing) }
      value = .null
      var element = elements[index]
      elements[index] = .null
      defer { value = .array(elements) }
      defer { elements[index] = element }
      try change(&element, tokens.dropFirst(), missing: missing, body)
    default: throw .inapplicable(missing)
    }
  }

  /// What a client can send has a bounded depth; so has what a patch makes of it.
  private mutating func checkDepth(_ operation: String, _ path: JSONPointer, _ new: JSONValue) throws(Failure) {
    var visited = 0
    guard Self.fits(new, in: Self.maximumDepth - path.tokens.count, &visited) else {
      throw .inapplicable(
        "\(operation) operation does not apply: the value at '\(path.text)' would be more than \(Self.maximumDepth) levels deep")
    }
    // The same value can be moved again and again.
    try charge(visited)
  }

  /// Whether a value has at most so many containers inside each other. Goes no deeper than that.
  private static func fits(_ value: JSONValue, in levels: Int, _ visited: inout Int) -> Bool {
    visited += 1
    switch value {
    case .object(let members):
      guard levels > 0 else { return false }
      for member in members.values { guard fits(member, in: levels - 1, &visited) else { return false } }
    case .array(let elements):
      guard levels > 0 else { return false }
      for element in elements { guard fits(element, in: levels - 1, &visited) else { return false } }
    default: break
    }
    return true
  }

  private mutating func charge(_ count: Int) throws(Failure) {
    moved += count
    guard moved <= Self.maximumMoved else { throw .tooLarge("The JSON patch moves more elements than the server is willing to") }
  }

  private static func missingSource(_ operation: String, _ path: JSONPointer) -> Failure {
    .inapplicable("\(operation) operation does not apply: doc is missing from path: \(path.text): missing value")
  }

  private static func notAnIndex(_ operation: String, _ path: JSONPointer, _ token: String) -> Failure {
    .inapplicable("error in \(operation) for path: '\(path.text)': value was not a proper array index: '\(token)'")
  }

  private static func invalidIndex(_ operation: String, _ path: JSONPointer, _ index: Int) -> Failure {
    .inapplicable("error in \(operation) for path: '\(path.text)': Unable to access invalid index: \(index): invalid index referenced")
  }
}
