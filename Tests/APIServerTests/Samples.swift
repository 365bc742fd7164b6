import JSON
import KubeWire
import OrderedCollections
import Translation

@testable import APIServer

/// Objects to write.
enum Samples {
  static let group = APIGroup()
  static let kind = group.kind(plural: "workflows")!
  static let noon = Timestamp("2026-11-22T12:00:00Z")!

  static func workflow(_ name: String, version: UInt64) -> StoredObject {
    StoredObject(
      ObjectDraft(
        resource: .workflows, namespace: "default", name: name, uid: "u-\(name)", labels: ["team": "build"],
        fields: ["metadata.name": name, "metadata.namespace": "default"],
        metadata: ["name": .string(name), "namespace": "default", "uid": .string("u-\(name)"), "labels": ["team": "build"]],
        content: ["spec": ["templateRef": ["name": "nightly"]], "status": ["phase": "Running"]],
        cells: [
          .value(.string(name)), .value("nightly"), .value("Running"), .value("1/2"), .since(noon - .seconds(38 * 60)),
          .between(noon - .seconds(303), nil), .since(nil), .value("local"), .value("7"), .value(""), .value(""),
        ]), version: version, apiVersion: group.apiVersion)
  }

  static func encoder(_ form: ResponseForm, now: Timestamp = noon) -> ObjectEncoder {
    ObjectEncoder(form: form, kind: kind, apiVersion: group.apiVersion, now: now)
  }
}

extension [UInt8] {
  var text: String { String(decoding: self, as: UTF8.self) }
}
