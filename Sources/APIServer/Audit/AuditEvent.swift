internal import JSON
internal import OrderedCollections
internal import Translation

/// One event: audit.k8s.io/v1 Event, a line of JSON.
struct AuditEvent: Sendable {
  /// What the request is about. Empty fields are left out.
  struct ObjectReference: Sendable, Hashable {
    var resource = ""
    var namespace = ""
    var name = ""
    var uid = ""
    var apiGroup = ""
    var apiVersion = ""
    var resourceVersion = ""
    var subresource = ""
  }

  var level: AuditLevel
  var auditID: String
  var stage: AuditStage
  var requestURI: String
  var verb: String
  /// nil when nobody was authenticated.
  var user: UserInfo?
  var sourceIPs: [String] = []
  var userAgent = ""
  /// nil for what is no resource.
  var objectRef: ObjectReference?
  /// The members of a Status; nil before there is an answer.
  var responseStatus: JSONObject?
  var requestObject: JSONValue?
  var responseObject: JSONValue?
  var requestReceived: Timestamp
  var stageTime: Timestamp
  var annotations: [String: String] = [:]

  /// With the line feed.
  var line: [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    func text(_ name: String, _ value: String, always: Bool = false) {
      guard always || !value.isEmpty else { return }
      writer.name(name)
      writer.string(value)
    }
    text("kind", "Event")
    text("apiVersion", "audit.k8s.io/v1")
    text("level", level.rawValue)
    text("auditID", auditID)
    text("stage", stage.rawValue)
    text("requestURI", requestURI, always: true)
    text("verb", verb, always: true)
    writer.name("user")
    Self.write(user, to: &writer)
    if !sourceIPs.isEmpty {
      writer.name("sourceIPs")
      Self.write(sourceIPs, to: &writer)
    }
    text("userAgent", userAgent)
    if let objectRef {
      writer.name("objectRef")
      writer.beginObject()
      text("resource", objectRef.resource)
      text("namespace", objectRef.namespace)
      text("name", objectRef.name)
      text("uid", objectRef.uid)
      text("apiGroup", objectRef.apiGroup)
      text("apiVersion", objectRef.apiVersion)
      text("resourceVersion", objectRef.resourceVersion)
      text("subresource", objectRef.subresource)
      writer.endObject()
    }
    if let responseStatus {
      writer.name("responseStatus")
      writer.value(.object(responseStatus))
    }
    if let requestObject {
      writer.name("requestObject")
      writer.value(requestObject)
    }
    if let responseObject {
      writer.name("responseObject")
      writer.value(responseObject)
    }
    text("requestReceivedTimestamp", requestReceived.description)
    text("stageTimestamp", stageTime.description)
    if !annotations.isEmpty {
      writer.name("annotations")
      writer.beginObject()
      for (name, value) in annotations.sorted(by: { $0.key < $1.key }) { text(name, value, always: true) }
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes + [0x0A]
  }

  private static func write(_ user: UserInfo?, to writer: inout JSONWriter) {
    writer.beginObject()
    if let user {
      writer.name("username")
      writer.string(user.name)
      if !user.uid.isEmpty {
        writer.name("uid")
        writer.string(user.uid)
      }
      if !user.groups.isEmpty {
        writer.name("groups")
        write(user.groups, to: &writer)
      }
      if !user.extra.isEmpty {
        writer.name("extra")
        writer.beginObject()
        for (name, values) in user.extra.sorted(by: { $0.key < $1.key }) {
          writer.name(name)
          write(values, to: &writer)
        }
        writer.endObject()
      }
    }
    writer.endObject()
  }

  private static func write(_ texts: [String], to writer: inout JSONWriter) {
    writer.beginArray()
    for text in texts { writer.string(text) }
    writer.endArray()
  }
}
