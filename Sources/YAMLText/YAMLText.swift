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

  /// Reads one document. JSON is YAML too. Keys are texts as they are written, however scalars are typed.
  ///
  /// - Parameter schema: how scalars are typed; in ``YAMLSchema/core``, as in adapter files, `yes` and `on` are texts.
  /// - Throws: for what is no YAML, holds a key twice, has several documents, uses aliases or is nested a thousand deep, less deep where the text is
  ///   long.
  package static func json(_ text: String, schema: YAMLSchema = .core) throws(Failure) -> JSONValue {
    var text = text
    let shape = text.withUTF8(YAMLShape.init)
    guard !shape.hasAliases else { throw Failure("anchors and aliases are not supported; write the values out") }
    guard shape.isBearable else {
      // Long JSON nests as it likes, and its reader does not mind.
      if let json = try? JSONValue(parsing: text) { return json }
      throw Failure("too many nested flow collections, or tag directives, for a text of this length; use indentation, or JSON")
    }
    let node: Node?
    do {
      // We look at the tags that are written only; to find the others out takes longer than all the rest.
      node = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw Failure(explanation(error))
    } catch {
      throw Failure("not YAML")
    }
    guard let node else { return .null }
    return try value(node, schema)
  }

  /// - Throws: also for bytes that are not UTF-8.
  package static func json(_ bytes: [UInt8], schema: YAMLSchema = .core) throws(Failure) -> JSONValue {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure("not UTF-8") }
    return try json(text, schema: schema)
  }

  private static func value(_ node: Node, _ schema: YAMLSchema) throws(Failure) -> JSONValue {
    switch node {
    case .scalar(let scalar): return try schema.value(scalar)
    case .sequence(let sequence):
      var values: [JSONValue] = []
      for element in sequence { values.append(try value(element, schema)) }
      return .array(values)
    case .mapping(let mapping):
      var members = JSONObject()
      for (key, member) in mapping {
        guard case .scalar(let name) = key else { throw Failure("line \(key.mark?.line ?? 0): a key must be a text") }
        members[name.string] = try value(member, schema)
      }
      return .object(members)
    case .alias: throw Failure("line \(node.mark?.line ?? 0): an alias stands for nothing")
    }
  }

  private static func explanation(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      "line \(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let names, let context):
      "line \(context.mark.line): the key \(names.prefix(3).map { "'\(shortened($0))'" }.joined(separator: ", ")) is there twice"
    default: "not YAML"
    }
  }

  /// A key can be as long as the text.
  private static func shortened(_ name: String) -> String {
    name.utf8.count <= 128 ? name : String(decoding: name.utf8.prefix(128), as: UTF8.self) + "…"
  }
}
