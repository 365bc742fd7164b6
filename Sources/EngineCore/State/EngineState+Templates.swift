internal import OrderedCollections

extension EngineState {
  func template(_ name: String) throws(EngineError) -> Template {
    guard let template = templates[name] else { throw .notFound("template", name) }
    return template
  }

  /// Creates or replaces a template. Jobs that were started from it keep their steps.
  mutating func putTemplate(_ new: Template) throws(EngineError) -> (template: Template, isNew: Bool) {
    let known = templates[new.name]
    if known?.isFromFile == true { throw Self.fixed(new.name) }
    var template = new
    template.revision = (known?.revision ?? 0) + 1
    put(template)
    return (template, known == nil)
  }

  mutating func deleteTemplate(_ name: String) throws(EngineError) -> Template {
    let template = try template(name)
    if template.isFromFile { throw Self.fixed(name) }
    removeTemplate(name)
    return template
  }

  private static func fixed(_ name: String) -> EngineError {
    .conflict("templateFromFile", "template \(name) comes from a file of the engine's --templates and is changed there")
  }
}
