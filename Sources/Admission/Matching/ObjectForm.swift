import JSON
import KubeWire
import Translation

/// What a plugin made of an object, read again as its kind.
enum ObjectForm {
  /// Unknown members are dropped, types are checked.
  ///
  /// - Throws: 500, as kube-apiserver does for a plugin that makes an object unreadable.
  static func read(_ object: JSONValue, as resource: Resource, in group: APIGroup) throws(StatusError) -> JSONValue {
    guard let kind = group.kind(plural: resource.rawValue) else { throw .internalError("unknown resource \(resource.rawValue)") }
    let document: JSONDocument
    do throws(JSONError) { document = try JSONDocument(object.encoded) } catch { throw .internalError("\(error)") }
    var decoder = SchemaDecoder(kind: kind.kind)
    do throws(SchemaDecoder.TypeMismatch) { return try decoder.decode(document.root, as: kind.schema) } catch {
      throw .internalError(error.message)
    }
  }
}
