package import JSON

/// A metav1.Status: what every refusal, and a delete that left nothing behind, is answered with (kubernetes-wire E1).
package struct Status: Sendable, Hashable {
  package struct Cause: Sendable, Hashable {
    package var reason: String
    package var message: String
    package var field: String

    package init(reason: String = "", message: String = "", field: String = "") {
      self.reason = reason
      self.message = message
      self.field = field
    }
  }

  package struct Details: Sendable, Hashable {
    package var name: String
    package var group: String
    /// The plural resource, except for 422, where it is the Kind.
    package var kind: String
    package var uid: String
    package var causes: [Cause]
    package var retryAfterSeconds: Int?

    package init(
      name: String = "", group: String = "", kind: String = "", uid: String = "", causes: [Cause] = [], retryAfterSeconds: Int? = nil
    ) {
      self.name = name
      self.group = group
      self.kind = kind
      self.uid = uid
      self.causes = causes
      self.retryAfterSeconds = retryAfterSeconds
    }
  }

  /// The HTTP status code.
  package var code: Int
  /// CamelCase, for programs: NotFound, AlreadyExists, Expired … Empty for a success.
  package var reason: String
  /// For people.
  package var message: String
  package var details: Details?
  /// `metadata.continue`: where an expired list can go on, without consistency (kubernetes-wire L11).
  package var continueToken: String

  package init(code: Int, reason: String, message: String, details: Details? = nil, continueToken: String = "") {
    self.code = code
    self.reason = reason
    self.message = message
    self.details = details
    self.continueToken = continueToken
  }

  /// The answer to a delete after which the object is gone. `uid` lets kubectl wait for that very object (kubernetes-wire C24).
  package static func deleted(resource: String, group: String, name: String, uid: String) -> Status {
    Status(code: 200, reason: "", message: "", details: Details(name: name, group: group, kind: resource, uid: uid))
  }

  package var isFailure: Bool { code >= 400 }

  /// The JSON text, compact, in the order of the Go type.
  package var json: [UInt8] {
    var writer = JSONWriter(capacity: 256 + message.utf8.count)
    write(to: &writer)
    return writer.bytes
  }

  package func write(to writer: inout JSONWriter) {
    func member(_ name: String, _ value: String) {
      guard !value.isEmpty else { return }
      writer.name(name)
      writer.string(value)
    }
    writer.beginObject()
    member("kind", "Status")
    member("apiVersion", "v1")
    writer.name("metadata")
    writer.beginObject()
    member("continue", continueToken)
    writer.endObject()
    member("status", isFailure ? "Failure" : "Success")
    member("message", message)
    member("reason", reason)
    if let details {
      writer.name("details")
      writer.beginObject()
      member("name", details.name)
      member("group", details.group)
      member("kind", details.kind)
      member("uid", details.uid)
      if !details.causes.isEmpty {
        writer.name("causes")
        writer.beginArray()
        for cause in details.causes {
          writer.beginObject()
          member("reason", cause.reason)
          member("message", cause.message)
          member("field", cause.field)
          writer.endObject()
        }
        writer.endArray()
      }
      if let seconds = details.retryAfterSeconds {
        writer.name("retryAfterSeconds")
        writer.int(Int64(seconds))
      }
      writer.endObject()
    }
    if isFailure {
      writer.name("code")
      writer.int(Int64(code))
    }
    writer.endObject()
  }
}
