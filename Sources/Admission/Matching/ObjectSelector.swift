import JSON
import KubeWire
import OrderedCollections

/// A label selector as objects hold it (`matchLabels`, `matchExpressions`).
struct ObjectSelector: Sendable {
  /// In the form of a query.
  let text: String
  private let selector: Result<LabelSelector, StatusError>

  /// An absent selector selects everything, as the empty one does: the API server writes `{}` where nothing was given.
  init(_ json: JSONValue?) {
    var terms: [String] = []
    var problem: String?
    for (key, value) in json?["matchLabels"]?.object ?? [:] { terms.append("\(key)=\(value.string ?? "")") }
    for expression in json?["matchExpressions"]?.array ?? [] {
      let key = expression["key"]?.string ?? ""
      let values = (expression["values"]?.array ?? []).compactMap(\.string).joined(separator: ",")
      switch expression["operator"]?.string {
      case "In": terms.append("\(key) in (\(values))")
      case "NotIn": terms.append("\(key) notin (\(values))")
      case "Exists": terms.append(key)
      case "DoesNotExist": terms.append("!\(key)")
      case let other: problem = "\(GoText.quoted(other ?? "")) is not a valid label selector operator"
      }
    }
    text = terms.joined(separator: ",")
    if let problem {
      selector = .failure(.internalError(problem))
    } else {
      do throws(StatusError) { selector = .success(try LabelSelector(parsing: text)) } catch {
        selector = .failure(.internalError(error.status.message))
      }
    }
  }

  var isEverything: Bool { if case .success(let selector) = selector { selector.isEmpty } else { false } }

  /// - Throws: 500 for a selector that nobody can read.
  func matches(_ labels: [String: String]) throws(StatusError) -> Bool { try selector.get().matches(labels) }
}

extension JSONValue {
  /// `metadata.labels`
  var labels: [String: String] {
    var labels: [String: String] = [:]
    for (name, value) in self["metadata"]?["labels"]?.object ?? [:] { labels[name] = value.string ?? "" }
    return labels
  }

  func strings(_ member: String) -> [String] { (self[member]?.array ?? []).compactMap(\.string) }
}
