/// The grammar and the refusals of k8s.io/apimachinery's labels.Parse.
struct LabelSelectorParser {
  struct Failure: Error { let message: String }

  private enum Token: Equatable {
    case identifier, comma, open, close, not, equals, doubleEquals, notEquals, greater, less, `in`, notIn, end, error
  }

  private var tokens: [(token: Token, literal: String)] = []
  private var position = 0

  init(_ text: String) {
    let symbols: [String: Token] = [
      ")": .close, ",": .comma, "!": .not, "==": .doubleEquals, "=": .equals, ">": .greater, "<": .less, "!=": .notEquals, "(": .open,
    ]
    let characters = Array(text)
    let special: Set<Character> = ["=", "!", "(", ")", ",", ">", "<"]
    var at = 0
    while at < characters.count {
      let character = characters[at]
      if character == " " || character == "\t" || character == "\r" || character == "\n" {
        at += 1
      } else if special.contains(character) {
        // The longest symbol wins; "===" is "==" and "=".
        var literal = String(character)
        if at + 1 < characters.count, symbols[literal + String(characters[at + 1])] != nil { literal.append(characters[at + 1]) }
        tokens.append((symbols[literal]!, literal))
        at += literal.count
      } else {
        let start = at
        while at < characters.count, !special.contains(characters[at]), !" \t\r\n".contains(characters[at]) { at += 1 }
        let literal = String(characters[start..<at])
        tokens.append((literal == "in" ? .in : literal == "notin" ? .notIn : .identifier, literal))
      }
    }
    tokens.append((.end, ""))
  }

  mutating func parse() throws(Failure) -> [LabelSelector.Requirement] {
    var requirements: [LabelSelector.Requirement] = []
    while true {
      let (token, literal) = look()
      switch token {
      case .end: return requirements
      case .identifier, .not:
        do throws(Failure) {
          requirements.append(try requirement())
        } catch {
          throw Failure(message: "unable to parse requirement: \(error.message)")
        }
        let (next, literal) = take()
        switch next {
        case .end: return requirements
        case .comma:
          let (after, literal) = look()
          guard after == .identifier || after == .not else {
            throw Failure(message: "found '\(literal)', expected: identifier after ','")
          }
        default: throw Failure(message: "found '\(literal)', expected: ',' or 'end of string'")
        }
      default: throw Failure(message: "found '\(literal)', expected: !, identifier, or 'end of string'")
      }
    }
  }

  private mutating func requirement() throws(Failure) -> LabelSelector.Requirement {
    var (token, key) = take()
    let negated = token == .not
    if negated { (token, key) = take() }
    guard token == .identifier else { throw Failure(message: "found '\(key)', expected: identifier") }
    let faults = Names.qualifiedNameErrors(key)
    guard faults.isEmpty else {
      // Go's parser has no path for the key, and prints that.
      throw Failure(message: "<nil>: Invalid value: \(GoText.quoted(key)): \(faults.joined(separator: "; "))")
    }
    if negated { return LabelSelector.Requirement(key: key, operator: .doesNotExist, values: []) }
    if [.end, .comma].contains(look().token) { return LabelSelector.Requirement(key: key, operator: .exists, values: []) }
    let (symbol, literal) = take(asOperator: true)
    let kind: LabelSelector.Operator
    let values: [String]
    switch symbol {
    case .in, .notIn:
      kind = symbol == .in ? .in : .notIn
      values = try list()
    case .equals, .doubleEquals, .notEquals:
      kind = symbol == .notEquals ? .notIn : .in
      values = [try exactValue()]
    case .greater, .less:
      kind = symbol == .greater ? .greaterThan : .lessThan
      values = [try exactValue()]
      if Int64(values[0]) == nil {
        throw Failure(
          message: "values[0]: Invalid value: \(GoText.quoted(values[0])): for 'Gt', 'Lt' operators, the value must be an integer")
      }
    default: throw Failure(message: "found '\(literal)', expected: in, notin, =, ==, !=, gt, lt")
    }
    for (index, value) in values.enumerated() {
      if let message = Names.labelValueErrors(value).first {
        throw Failure(message: "values[\(index)][\(key)]: Invalid value: \(GoText.quoted(value)): \(message)")
      }
    }
    return LabelSelector.Requirement(key: key, operator: kind, values: values)
  }

  private mutating func exactValue() throws(Failure) -> String {
    if [.end, .comma].contains(look().token) { return "" }
    let (token, literal) = take()
    guard token == .identifier else { throw Failure(message: "found '\(literal)', expected: identifier") }
    return literal
  }

  private mutating func list() throws(Failure) -> [String] {
    let (open, literal) = take()
    guard open == .open else { throw Failure(message: "found '\(literal)' expected: '('") }
    let (first, found) = look()
    guard [.identifier, .comma, .close].contains(first) else {
      throw Failure(message: "found '\(found)', expected: ',', ')' or identifier")
    }
    var values: Set<String> = []
    var expectsValue = true
    while true {
      let (token, literal) = take()
      switch token {
      case .identifier:
        guard expectsValue else { throw Failure(message: "found '\(literal)', expected: ',' or ')'") }
        values.insert(literal)
        expectsValue = false
      case .comma:
        // As in Go, "()", "(a,,b)" and "(,a)" hold the empty value.
        if expectsValue { values.insert("") }
        expectsValue = true
      case .close:
        if expectsValue { values.insert("") }
        return values.sorted()
      default: throw Failure(message: "found '\(literal)', expected: \(expectsValue ? "',', or identifier" : "',' or ')'")")
      }
    }
  }

  private func look() -> (token: Token, literal: String) { asValue(tokens[position]) }

  private mutating func take(asOperator: Bool = false) -> (token: Token, literal: String) {
    let item = tokens[position]
    if position < tokens.count - 1 { position += 1 }
    return asOperator ? item : asValue(item)
  }

  /// "in" and "notin" are words like any other where a key or a value stands.
  private func asValue(_ item: (token: Token, literal: String)) -> (token: Token, literal: String) {
    item.token == .in || item.token == .notIn ? (.identifier, item.literal) : item
  }
}
