package import AdapterKit
package import JSON
internal import OrderedCollections

extension RunStore {
  /// All templates of a binding: any other goes. Whether one that a list lacks is gone is decided before (``TemplateTable``).
  package mutating func observeTemplates(_ binding: BindingID, _ templates: [EngineTemplate], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    guard let known = bindings[binding]?.templates, let wasListed = bindings[binding]?.areTemplatesListed else { return outcome }
    var present: [String: BindingRuns.TemplateEntry] = [:]
    for template in templates {
      guard let draft = projection.project(template, binding: binding), !hiddenNamespaces.contains(draft.namespace) else { continue }
      let key = StoredObject.key(namespace: draft.namespace, name: draft.name)
      if present[key] == nil { present[key] = BindingRuns.TemplateEntry(draft: draft, shownName: known[key]?.shownName) }
    }
    var removals: [ObjectChange] = []
    for (key, entry) in known.sorted(by: { $0.key < $1.key }) where present[key] == nil {
      if let name = entry.shownName { removals.append(.remove(.workflowtemplates, namespace: entry.draft.namespace, name: name)) }
    }
    bindings[binding]?.templates = present
    bindings[binding]?.areTemplatesListed = true
    var changes: [ObjectChange] = []
    for key in Set(known.keys).union(present.keys).sorted() { nameTemplates(key, &removals, &changes) }
    // Names are given up before they are taken.
    outcome.touched = objects.commit(removals + changes, silently: !wasListed, now: now)
    return outcome
  }

  /// Gives each template that wants a name the one under which it is shown: of several backends the first binding by name has it as it is, the others
  /// with a suffix that is always the same. A template that two bindings of one backend have is shown once.
  private mutating func nameTemplates(_ key: String, _ removals: inout [ObjectChange], _ changes: inout [ObjectChange]) {
    var uids: Set<String> = []
    for id in bindings.keys.sorted() {
      guard let entry = bindings[id]?.templates[key] else { continue }
      let isFirst = uids.isEmpty
      let isNew = uids.insert(entry.draft.uid).inserted
      let backend = entry.draft.fields["spec.backend"] ?? id.name
      let name = !isNew ? nil : isFirst ? entry.draft.name : EngineNames.objectName(entry.draft.name, of: backend)
      if let shown = entry.shownName, shown != name {
        removals.append(.remove(.workflowtemplates, namespace: entry.draft.namespace, name: shown))
      }
      bindings[id]?.templates[key]?.shownName = name
      if let name { changes.append(.upsert(Self.draft(entry.draft, named: name))) }
    }
  }

  private static func draft(_ draft: ObjectDraft, named name: String) -> ObjectDraft {
    guard name != draft.name else { return draft }
    var draft = draft
    draft.name = name
    draft.fields["metadata.name"] = name
    draft.metadata["name"] = .string(name)
    if !draft.cells.isEmpty { draft.cells[0] = .value(.string(name)) }
    return draft
  }
}
