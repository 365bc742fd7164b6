/// A label selector in the query's form (kubernetes-wire L13): `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, `a>1`, `a<1`.
package struct LabelSelector: Sendable, Hashable {
  package enum Operator: String, Sendable {
    case exists, doesNotExist, `in`, notIn, greaterThan, lessThan
  }

  package struct Requirement: Sendable, Hashable {
    package var key: String
    package var `operator`: Operator
    package var values: [String]

    package func matches(_ labels: [String: String]) -> Bool {
      guard let value = labels[key] else { return `operator` == .doesNotExist || `operator` == .notIn }
      switch `operator` {
      case .exists: return true
      case .doesNotExist: return false
      case .in: return values.contains(value)
      case .notIn: return !values.contains(value)
      case .greaterThan: return Int64(value).map { $0 > Int64(values[0])! } ?? false
      case .lessThan: return Int64(value).map { $0 < Int64(values[0])! } ?? false
      }
    }
  }

  package var requirements: [Requirement]

  /// Matches everything.
  package static let everything = LabelSelector(requirements: [])

  package init(requirements: [Requirement]) { self.requirements = requirements }

  /// - Throws: 400 with the text of Go's parser.
  package init(parsing text: String) throws(StatusError) {
    var parser = LabelSelectorParser(text)
    do throws(LabelSelectorParser.Failure) {
      requirements = try parser.parse()
    } catch {
      throw .badRequest(error.message)
    }
  }

  package var isEmpty: Bool { requirements.isEmpty }

  package func matches(_ labels: [String: String]) -> Bool { requirements.allSatisfy { $0.matches(labels) } }
}
