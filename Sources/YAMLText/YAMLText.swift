package import JSON
internal import OrderedCollections
internal import Yams

/// YAML as Kubernetes takes it: one document, whose values are those of JSON and whose keys are texts.
package enum YAMLText {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// What is wrong and at which line; never the text itself.
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  /// Reads one document. JSON is YAML too. Scalars follow YAML 1.2's core schema, as in adapter files: `yes` and `on` are texts.
  ///
  /// - Throws: for what is no YAML, holds a key twice, has several documents, uses aliases or is nested a thousand deep.
  package static func json(_ text: String) throws(Failure) -> JSONValue {
    let node: Node?
    do {
      try checkAliases(text)
      node = try Parser(yaml: text, encoding: .utf8).singleRoot()
    } catch let failure as Failure {
      throw failure
    } catch let error as YamlError {
      throw Failure(explanation(error))
    } catch {
      throw Failure("not YAML")
    }
    guard let node else { return .null }
    return try value(node)
  }

  /// - Throws: also for bytes that are not UTF-8.
  package static func json(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure("not UTF-8") }
    return try json(text)
  }

  private static func value(_ node: Node) throws(Failure) -> JSONValue {
    switch node {
    case .scalar(let scalar): return YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
    case .sequence(let sequence):
      var values: [JSONValue] = []
      for element in sequence { values.append(try value(element)) }
      return .array(values)
    case .mapping(let mapping):
      var members = JSONObject()
      for (key, member) in mapping {
        guard case .scalar(let name) = key else { throw Failure("line \(key.mark?.line ?? 0): a key must be a text") }
        members[name.string] = try value(member)
      }
      return .object(members)
    case .alias: throw Failure("line \(node.mark?.line ?? 0): an alias stands for nothing")
    }
  }

  /// An alias may stand for a list of aliases, and so on: a short text for more values than fit anywhere. Nobody who writes manifests needs them.
  private static func checkAliases(_ text: String) throws(Failure) {
    let anchors = names(in: text, after: UInt8(ascii: "&"))
    guard !anchors.isEmpty, !anchors.isDisjoint(with: names(in: text, after: UInt8(ascii: "*"))) else { return }
    throw Failure("anchors and aliases are not supported; write the values out")
  }

  /// The words that follow a mark at a place where YAML could read it as an anchor or an alias.
  private static func names(in text: String, after mark: UInt8) -> Set<Substring> {
    var found: Set<Substring> = []
    var previous = UInt8(ascii: " ")
    for index in text.utf8.indices {
      let byte = text.utf8[index]
      if byte == mark, " \t\n\r[{,:?-".utf8.contains(previous) {
        let name = text[text.utf8.index(after: index)...].prefix { !$0.isWhitespace && !",[]{}".contains($0) }
        if !name.isEmpty { found.insert(name) }
      }
      previous = byte
    }
    return found
  }

  private static func explanation(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      "line \(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let names, let context):
      "line \(context.mark.line): the key \(names.map { "'\($0)'" }.joined(separator: ", ")) is there twice"
    default: "not YAML"
    }
  }
}
