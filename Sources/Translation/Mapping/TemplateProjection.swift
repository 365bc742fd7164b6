internal import AdapterKit
internal import JSON
internal import OrderedCollections

/// Turns an engine's definition into the WorkflowTemplate that represents it.
struct TemplateProjection: Sendable {
  let group: String
  let binding: BindingInfo

  func draft(_ template: EngineTemplate) -> ObjectDraft {
    let name = EngineNames.objectName(template.name)
    let uid = EngineNames.uid(backend: binding.backend, identity: "template/\(binding.namespace)/\(template.name)")
    var labels = ["\(group)/backend": EngineNames.labelValue(binding.backend)]
    for (key, value) in template.labels where !value.isEmpty { labels["\(group)/\(key)"] = EngineNames.labelValue(value) }
    var spec: JSONObject = ["backend": .string(binding.backend), "engineName": .string(template.name)]
    if let description = template.description, !description.isEmpty { spec["description"] = .string(description) }
    if let schema = template.parametersSchema { spec["parametersSchema"] = schema }
    if let schedule = template.schedule { spec["schedule"] = .string(schedule) }
    if let url = template.url { spec["url"] = .string(url) }
    return ObjectDraft(
      resource: .workflowtemplates, namespace: binding.namespace, name: name, uid: uid, labels: labels,
      fields: ["metadata.name": name, "metadata.namespace": binding.namespace, "spec.backend": binding.backend],
      metadata: [
        "name": .string(name), "namespace": .string(binding.namespace), "uid": .string(uid),
        "creationTimestamp": .string(UntoldCreation.timestamp), "generation": 1, "labels": Envelope.object(labels),
      ],
      content: ["spec": .object(spec), "status": ["paused": .bool(template.paused)]],
      cells: [
        .value(.string(name)), .value(.string(binding.backend)), .value(.string(template.description ?? "")),
        .value(.string(template.paused ? "true" : "false")), .value(.string(template.schedule ?? "")), UntoldCreation.age,
      ])
  }
}
