internal import JSON

/// Templates from files of the operator.
package enum TemplateFiles {
  /// - Parameter path: a JSON file that holds a template or an array of them, or a folder whose `.json` files are read.
  /// - Throws: ``FileError`` naming the file and what is wrong in it.
  package static func load(_ path: String) throws(FileError) -> [Template] {
    if Files.isFolder(path) {
      var templates: [Template] = []
      for name in Files.names(in: path) {
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { throw FileError("\(path)/\(name): templates are written in JSON, not YAML") }
        if name.hasSuffix(".json") { templates += try read("\(path)/\(name)") }
      }
      return templates
    }
    return try read(path)
  }

  private static func read(_ path: String) throws(FileError) -> [Template] {
    let bytes = try Files.read(path)
    let document: JSONDocument
    do throws(JSONError) { document = try JSONDocument(bytes) } catch { throw FileError("\(path): \(error)") }
    var templates: [Template] = []
    for view in document.root.kind == .array ? Array(document.root.elements) : [document.root] {
      do throws(EngineError) {
        var template = try TemplateRequest.template(view, name: nil, now: Timestamp.now())
        template.isFromFile = true
        templates.append(template)
      } catch {
        throw FileError("\(path): \(error.message)")
      }
    }
    return templates
  }
}
