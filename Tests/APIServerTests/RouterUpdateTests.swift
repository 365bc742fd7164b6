import AdapterKit
import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import APIServer

/// PUT and PATCH from the request to the in-memory engine and back.
@Suite(.timeLimit(.minutes(10))) struct RouterUpdateTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"

  private static func version(_ object: JSONValue) -> String { object["metadata"]?["resourceVersion"]?.string ?? "" }

  @Test("C13, C14, C15: optimistic locking") func put() async throws {
    try await TestServer.run { server in
      #expect(await server.put(Self.a, ["metadata": ["name": "a", "resourceVersion": "1"], "spec": [:]]).status == 404)
      var object = await server.make("a")
      let first = Self.version(object)

      let same = await server.put(Self.a, object)
      #expect(same.status == 200 && Self.version(same.json) == first, "\(same.message)")

      object["metadata"]?["labels"]?["team"] = "deploy"
      object["metadata"]?["annotations"] = ["note": "x"]
      object["metadata"]?["generation"] = 99
      object["metadata"]?["creationTimestamp"] = "2001-01-01T00:00:00Z"
      object["status"] = ["phase": "Succeeded"]
      let dry = await server.put(Self.a, object, query: "dryRun=All")
      #expect(dry.status == 200 && dry.json["metadata"]?["labels"]?["team"] == "deploy" && Self.version(dry.json) == first)
      #expect(await server.get(Self.a).json["metadata"]?["labels"]?["team"] == "build")
      let changed = await server.put(Self.a, object)
      #expect(changed.status == 200 && changed.json["metadata"]?["labels"]?["team"] == "deploy", "\(changed.message)")
      #expect(changed.json["metadata"]?["generation"] == 1 && changed.json["status"]?["phase"] == "Pending")
      #expect(Self.version(changed.json) != first)

      let stale = await server.put(Self.a, object)
      #expect(stale.status == 409 && stale.json["reason"] == "Conflict")
      #expect(
        stale.message
          == #"Operation cannot be fulfilled on workflows.workflow.example.com "a": the object has been modified; please apply your changes to the latest version and try again"#
      )
      #expect(stale.json["details"]?["name"] == "a" && stale.json["details"]?["kind"] == "workflows")

      object["metadata"]?["resourceVersion"] = nil
      let none = await server.put(Self.a, object)
      #expect(none.status == 422 && none.message.hasSuffix("metadata.resourceVersion: Invalid value: 0: must be specified for an update"))
      object["metadata"]?["resourceVersion"] = .string(Self.version(changed.json))
      object["metadata"]?["uid"] = "other"
      #expect(await server.put(Self.a, object).status == 409)
      object["metadata"]?["uid"] = nil
      object["metadata"]?["name"] = "other"
      let name = await server.put(Self.a, object)
      #expect(name.status == 400 && name.message == "the name of the object (other) does not match the name on the URL (a)")
      object["metadata"]?["name"] = "a"
      object["spec"]?["timeout"] = "5m"
      let spec = await server.put(Self.a, object)
      #expect(spec.status == 422 && spec.json["details"]?["causes"]?.array?.first?["field"] == "spec.timeout")
      #expect(await server.put("/workflowbackends/memory", ["metadata": ["name": "memory"]]).status == 405)
    }
  }

  @Test("C18: a suspend that is taken out is not there any more") func suspendRemoved() async throws {
    try await TestServer.run { server in
      let spec = #"{"suspend":true,"steps":[{"name":"s","command":["true"]}]}"#
      #expect(await server.post(Self.collection, TestServer.manifest("a", spec: spec)).json["spec"]?["suspend"] == true)
      let removed = await server.patch(Self.a, .merge, #"{"spec":{"suspend":null}}"#)
      #expect(removed.status == 200 && removed.json["spec"]?.object?.keys.contains("suspend") == false, "\(removed.json)")
      let read = await server.get(Self.a).json
      #expect(read["spec"]?.object?.keys.contains("suspend") == false && read["metadata"]?["generation"] == 2)
      guard case .present(let core)? = server.engine.peek(server.engine.keys[0])?.core else {
        Issue.record("no run")
        return
      }
      #expect(!core.suspended)
      #expect(await server.patch(Self.a, .merge, #"{"spec":{"suspend":true}}"#).json["spec"]?["suspend"] == true)
    }
  }

  @Test("C15: what changes nothing makes no event") func noEvent() async throws {
    try await TestServer.run { server in
      let object = await server.make("a")
      let answer = await server.get(Self.collection, query: "watch=true&resourceVersion=\(Self.version(object))")
      guard case .stream(let stream) = answer.response.body else {
        Issue.record("no stream")
        return
      }
      let reader = WatchReader(stream)
      _ = await server.put(Self.a, object)
      _ = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"team":"build"}}}"#)
      _ = await server.patch(Self.a, .json, "[]")
      _ = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"team":"x"}}}"#)
      let event = try #require(await reader.next())
      #expect(event["type"] == "MODIFIED" && event["object"]?["metadata"]?["labels"]?["team"] == "x")
      reader.cancel()
    }
  }

  @Test("C18, C21: JSON patches") func jsonPatch() async throws {
    try await TestServer.run { server in
      let version = Self.version(await server.make("a"))
      // As kopf does it.
      let good = await server.patch(
        Self.a, .json,
        #"[{"op":"test","path":"/metadata/resourceVersion","value":"\#(version)"},{"op":"add","path":"/metadata/finalizers","value":["kopf.zalando.org/f"]}]"#
      )
      #expect(good.status == 200 && good.json["metadata"]?["finalizers"] == ["kopf.zalando.org/f"], "\(good.message)")
      let old = await server.patch(Self.a, .json, #"[{"op":"test","path":"/metadata/resourceVersion","value":"\#(version)"}]"#)
      #expect(old.status == 422 && old.json["reason"] == "Invalid")
      #expect(old.message == "the server rejected our request due to an error in our request")
      #expect(await server.patch(Self.a, .json, #"[{"op":"remove","path":"/spec/nope"}]"#).status == 422)
      #expect(await server.patch(Self.a, .json, #"[{"op":"zork","path":"/spec"}]"#).status == 422)
      let bad = await server.patch(Self.a, .json, "{")
      #expect(bad.status == 400 && bad.message.hasPrefix("error decoding patch: "))
      #expect(await server.patch(Self.a, .json, #"{"op":"remove"}"#).status == 400)
      #expect(await server.patch(Self.a, .json, #"[{"op":"replace","path":"/metadata/name","value":"b"}]"#).status == 400)
      #expect(await server.patch(Self.a, .json, #"[{"op":"replace","path":"/metadata/uid","value":"b"}]"#).status == 409)
      #expect(await server.patch(Self.a, .json, #"[{"op":"replace","path":"/metadata/labels","value":5}]"#).status == 422)
      let force = await server.patch(Self.a, .json, "[]", query: "force=true")
      #expect(force.status == 422 && force.message.contains("force: Forbidden: may not be specified for non-apply patch"))
      #expect(await server.patch(Self.collection + "/nope", .json, "[]").status == 404)
    }
  }

  @Test("C3: unknown fields in what a patch makes") func strictPatch() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let patch = #"{"spec":{"zork":1}}"#
      let strict = await server.patch(Self.a, .merge, patch, query: "fieldValidation=Strict")
      #expect(strict.status == 422 && strict.message.hasPrefix(#" "" is invalid: patch: Invalid value: "#), "\(strict.message)")
      #expect(strict.message.hasSuffix(#"strict decoding error: unknown field "spec.zork""#))
      let warned = await server.patch(Self.a, .merge, patch)
      #expect(warned.status == 200 && warned.warnings.contains(#"299 - "unknown field \"spec.zork\"""#))
      #expect(await server.patch(Self.a, .merge, patch, query: "fieldValidation=Ignore").warnings.isEmpty)
    }
  }

  @Test("C3, C4: members that come twice in the text of a patch") func repeatedInPatch() async throws {
    try await TestServer.run { server in
      _ = await server.make("a")
      let merge = #"{"metadata":{"annotations":{"n":"1","n":"2"}},"spec":{"zork":1}}"#
      let strict = await server.patch(Self.a, .merge, merge, query: "fieldValidation=Strict")
      #expect(strict.status == 422 && strict.message.hasPrefix(#" "" is invalid: patch: Invalid value: "#), "\(strict.message)")
      #expect(strict.message.hasSuffix(#"strict decoding error: duplicate field "metadata.annotations.n", unknown field "spec.zork""#))
      #expect(await server.get(Self.a).json["metadata"]?["annotations"] == nil)
      #expect(await server.patch(Self.a, .merge, merge, query: "fieldValidation=Ignore&dryRun=All").warnings.isEmpty)
      let warned = await server.patch(Self.a, .merge, merge)
      #expect(warned.status == 200 && warned.json["metadata"]?["annotations"] == ["n": "2"], "\(warned.message)")
      #expect(
        warned.warnings == [#"299 - "duplicate field \"metadata.annotations.n\"""#, #"299 - "unknown field \"spec.zork\"""#],
        "\(warned.warnings)")

      let json = #"[{"op":"replace","path":"/metadata/annotations/n","path":"/metadata/annotations/n","value":"3","why":"x"}]"#
      let strictJSON = await server.patch(Self.a, .json, json, query: "fieldValidation=Strict")
      #expect(strictJSON.status == 422, "\(strictJSON.message)")
      #expect(
        strictJSON.message.hasSuffix(
          #"strict decoding error: json patch duplicate field "[0].path", json patch unknown field "[0].why""#), "\(strictJSON.message)")
      #expect(await server.patch(Self.a, .json, json, query: "fieldValidation=Ignore&dryRun=All").warnings.isEmpty)
      let warnedJSON = await server.patch(Self.a, .json, json)
      #expect(warnedJSON.status == 200 && warnedJSON.json["metadata"]?["annotations"] == ["n": "3"], "\(warnedJSON.message)")
      #expect(
        warnedJSON.warnings == [#"299 - "json patch duplicate field \"[0].path\"""#, #"299 - "json patch unknown field \"[0].why\"""#])
    }
  }

  @Test("C15: 1.0 for 1 is no change; another spelling of the same characters is one") func spellings() async throws {
    try await TestServer.run { server in
      let spec = #"{"templateRef":{"name":"nightly"},"parameters":{"seconds":1,"note":"caf\u00e9"}}"#
      let posted = await server.post(Self.collection, TestServer.manifest("a", spec: spec))
      #expect(posted.status == 201, "\(posted.message)")
      var object = await server.get(Self.a).json
      let version = Self.version(object)
      object["spec"]?["parameters"]?["seconds"] = 1.0
      let text = object.text.replacing(#""seconds":1"#, with: #""seconds":1.0"#)
      let same = await server.send("PUT", Self.a, headers: ["Content-Type": "application/json"], body: Array(text.utf8))
      #expect(same.status == 200 && Self.version(same.json) == version, "\(same.message)")
      object["spec"]?["parameters"]?["note"] = "cafe\u{301}"
      let changed = await server.put(Self.a, object)
      #expect(changed.status == 422 && changed.message.contains("spec.parameters: Forbidden"), "\(changed.status) \(changed.message)")
      let test = #"[{"op":"test","path":"/spec/parameters/note","value":"cafe\u0301"}]"#
      #expect(await server.patch(Self.a, .json, test).status == 422)

      // What a client keeps in the status.
      let kept = await server.patch(Self.a + "/status", .merge, #"{"status":{"mine":{"n":1.0}}}"#)
      #expect(kept.status == 200 && kept.json["status"]?["mine"]?["n"] == 1, "\(kept.message)")
      let overlays = server.engine.calls(.setOverlay)
      #expect(
        Self.version(await server.patch(Self.a + "/status", .merge, #"{"status":{"mine":{"n":1.0}}}"#).json) == Self.version(kept.json))
      #expect(server.engine.calls(.setOverlay) == overlays)
    }
  }

  @Test("C15: a creationTimestamp that is no time is refused") func badTime() async throws {
    try await TestServer.run { server in
      var object = await server.make("a")
      let patch = #"{"metadata":{"creationTimestamp":"zork"}}"#
      let patched = await server.patch(Self.a, .merge, patch)
      #expect(patched.status == 422 && patched.message.contains(#"parsing time "zork""#), "\(patched.message)")
      #expect(await server.patch(Self.a, .merge, #"{"metadata":{"creationTimestamp":null}}"#).status == 200)
      object["metadata"]?["creationTimestamp"] = "zork"
      let put = await server.put(Self.a, object)
      #expect(put.status == 400 && put.message.contains(#"cannot be handled as a Workflow: parsing time "zork""#), "\(put.message)")
      object["metadata"]?["creationTimestamp"] = .some(.null)
      #expect(await server.put(Self.a, object).status == 200)
    }
  }

  @Test("C12: owners and finalizers come and go; a merge patch with the version as the garbage collector sends it") func metadata()
    async throws
  {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let owner = #"{"apiVersion":"v1","kind":"ConfigMap","name":"c","uid":"u-1"}"#
      let owned = await server.patch(Self.a, .merge, #"{"metadata":{"ownerReferences":[\#(owner)],"finalizers":["example.com/f"]}}"#)
      #expect(owned.status == 200 && owned.json["metadata"]?["ownerReferences"]?.array?.first?["uid"] == "u-1", "\(owned.message)")
      let version = Self.version(owned.json)
      let without = await server.patch(
        Self.a, .merge, #"{"metadata":{"resourceVersion":"\#(version)","ownerReferences":null,"finalizers":[]}}"#)
      #expect(
        without.status == 200 && without.json["metadata"]?["ownerReferences"] == nil && without.json["metadata"]?["finalizers"] == nil)
      let again = await server.patch(Self.a, .merge, #"{"metadata":{"resourceVersion":"\#(version)","finalizers":[]}}"#)
      #expect(again.status == 409 && again.json["reason"] == "Conflict")
      let bad = await server.patch(Self.a, .merge, #"{"metadata":{"ownerReferences":[{"kind":"ConfigMap"}],"finalizers":["a b"]}}"#)
      #expect(bad.status == 422 && bad.message.contains("metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"))
      #expect(bad.message.contains("metadata.finalizers: Invalid value"))
    }
  }

  @Test("C12: equal owners are one, and finalizers that are new and anybody's get a Warning; on create and update") func metadataWarnings()
    async throws
  {
    try await TestServer.run { server in
      let owner = #"{"apiVersion":"v1","kind":"ConfigMap","name":"c","uid":"u-1"}"#
      let more = #""ownerReferences":[\#(owner),\#(owner)],"finalizers":["foo"]"#
      func isWarned(_ answer: TestServer.Answer) -> Bool {
        answer.json["metadata"]?["ownerReferences"]?.array?.count == 1 && answer.warnings.count == 2
          && answer.warnings.contains { $0.contains("duplicate UID(s) observed: u-1") }
          && answer.warnings.contains { $0.contains(#"metadata.finalizers: \"foo\": prefer a domain-qualified finalizer name to"#) }
      }
      let manifest = TestServer.manifest("b").replacing(#""labels":{"team":"build"}"#, with: more)
      let made = await server.post(Self.collection, manifest)
      #expect(made.status == 201 && isWarned(made), "\(made.message) \(made.warnings)")
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let patched = await server.patch(Self.a, .merge, #"{"metadata":{\#(more)}}"#)
      #expect(patched.status == 200 && isWarned(patched), "\(patched.message) \(patched.warnings)")
      let again = await server.patch(Self.a, .merge, #"{"metadata":{"finalizers":["foo"],"labels":{"a":"b"}}}"#)
      #expect(again.status == 200 && again.warnings.isEmpty, "\(again.warnings)")
    }
  }

  @Test("C16: suspend and cancel count as changes of the spec") func spec() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let held = await server.patch(Self.a, .merge, #"{"spec":{"suspend":true}}"#)
      #expect(held.status == 200 && held.json["spec"]?["suspend"] == true && held.json["metadata"]?["generation"] == 2, "\(held.message)")
      let freed = await server.patch(Self.a, .merge, #"{"spec":{"suspend":null}}"#)
      #expect(freed.status == 200 && freed.json["spec"]?["suspend"]?.bool != true && freed.json["metadata"]?["generation"] == 3)
      let cancelled = await server.patch(Self.a, .merge, #"{"spec":{"cancel":true}}"#)
      #expect(cancelled.json["spec"]?["cancel"] == true && cancelled.json["status"]?["reason"] == "Cancelled", "\(cancelled.message)")
      #expect(cancelled.json["status"]?["observedGeneration"] == cancelled.json["metadata"]?["generation"])
      let taken = await server.patch(Self.a, .merge, #"{"spec":{"cancel":false}}"#)
      #expect(taken.status == 422 && taken.message.contains("use the retry subresource"))
      // The next try can be cancelled again.
      let retried = await server.send("POST", Self.a + "/retry")
      #expect(retried.status == 201 && retried.json["spec"]?["cancel"] == nil && retried.json["metadata"]?["generation"] == 5)
      #expect(await server.patch(Self.a, .merge, #"{"spec":{"cancel":true}}"#).json["status"]?["reason"] == "Cancelled")
    }
  }

  @Test("C22: many writers without versions, none is refused and none is lost") func concurrentPatches() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      await withTaskGroup(of: Int.self) { group in
        for i in 0..<20 {
          group.addTask { await server.patch(Self.a, .merge, #"{"metadata":{"annotations":{"n\#(i)":"x"}}}"#).status }
        }
        for await status in group { #expect(status == 200) }
      }
      #expect(await server.get(Self.a).json["metadata"]?["annotations"]?.object?.count == 20)
    }
  }

  @Test("design §6: without a place for it, metadata cannot change, and the refusal says so") func noOverlay() async throws {
    let server = TestServer { $0.lacks = [.setOverlay] }
    try await server.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let label = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}}}"#)
      #expect(
        label.status == 422 && label.message.contains("metadata.labels: Forbidden: In-memory engine has no place"), "\(label.message)")
      let made = await server.post(
        Self.collection, #"{"metadata":{"name":"b","finalizers":["example.com/f"]},"spec":{"steps":[{"name":"s","command":["true"]}]}}"#)
      #expect(made.status == 422 && made.message.contains("metadata.finalizers: Forbidden"), "\(made.message)")
      let foreground = await server.send("DELETE", Self.a, query: "propagationPolicy=Foreground")
      #expect(foreground.status == 422 && foreground.message.contains("no place for them"), "\(foreground.message)")
    }
  }

  @Test("design §6: what does not fit is refused with the byte count") func tooLarge() async throws {
    let server = TestServer { $0.overlayLimit = 2000 }
    try await server.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let long = String(repeating: "x", count: 3000)
      let answer = await server.patch(Self.a, .merge, #"{"metadata":{"annotations":{"note":"\#(long)"}}}"#)
      #expect(answer.status == 422 && answer.message.contains("bytes") && answer.message.contains("keeps 1744"), "\(answer.message)")
      // Nothing is refused for the account of the fields, and a deletion has room.
      let some = String(repeating: "x", count: 1650)
      let fits = await server.patch(Self.a, .merge, #"{"metadata":{"annotations":{"note":"\#(some)"}}}"#)
      #expect(fits.status == 200, "\(fits.message)")
      let deleted = await server.send("DELETE", Self.a, query: "propagationPolicy=Foreground")
      #expect(deleted.json["metadata"]?["finalizers"] == ["foregroundDeletion"], "\(deleted.message)")
    }
  }
}
