import JSON
import KubeWire
import OrderedCollections
import Testing

@Suite struct TextTests {
  @Test(
    "U4: Go durations",
    arguments: [
      ("32s", Duration.seconds(32)), ("6m13s", .seconds(373)), ("1.5h", .seconds(5400)), ("-1m", .seconds(-60)),
      ("300ms", .milliseconds(300)),
      ("0", .zero), (".5s", .milliseconds(500)), ("10us", .microseconds(10)),
    ])
  func durations(text: String, value: Duration) { #expect(GoDuration.parse(text) == value) }

  @Test("U4: what is no Go duration", arguments: ["", "zz", "5", "1d", "s", "1h-3m", ".s", "99999999999h"])
  func noDurations(text: String) { #expect(GoDuration.parse(text) == nil) }

  @Test(
    "U4: why, in Go's words",
    arguments: [
      ("zz", #"invalid duration "zz""#), ("5", #"missing unit in duration "5""#), ("5S", #"unknown unit "S" in duration "5S""#),
      ("1s5", #"missing unit in duration "1s5""#), (".s", #"invalid duration ".s""#),
    ])
  func durationRefusals(text: String, why: String) {
    #expect(#expect(throws: GoDuration.Refusal.self) { try GoDuration.parsed(text) }?.text == "time: " + why)
  }

  @Test("Texts are quoted as Go's %q does") func quotes() {
    #expect(GoText.quoted("a \"b\" \\ \n\u{1}\u{7F}é\u{200B}\u{E0001}😀") == #""a \"b\" \\ \n\x01\x7fé\u200b\U000e0001😀""#)
  }

  @Test(
    arguments: [
      (Duration.seconds(5400), "1h30m0s"), (.seconds(60), "1m0s"), (.milliseconds(1500), "1.5s"), (.milliseconds(250), "250ms"),
      (.zero, "0s"),
      (.microseconds(1500), "1.5ms"), (.seconds(-61), "-1m1s"),
    ])
  func formatsDurations(value: Duration, text: String) { #expect(GoDuration.format(value) == text) }

  @Test(
    "T2: ages",
    arguments: [
      (119, "119s"), (120, "2m"), (303, "5m3s"), (38 * 60, "38m"), (5 * 3600 + 7 * 60, "5h7m"), (30 * 3600, "30h"), (76 * 3600, "3d4h"),
      (400 * 86400, "400d"), (365 * 3 * 86400 + 20 * 86400, "3y20d"), (365 * 9 * 86400, "9y"), (0, "0s"), (-1, "0s"), (-2, "<invalid>"),
    ])
  func ages(seconds: Int, text: String) { #expect(HumanDuration.short(.seconds(seconds)) == text) }

  @Test("C9: names") func names() {
    #expect(Names.isDNS1123Subdomain("a.b-c"))
    for bad in ["", "Bad_Name", "a..b", "-a", "a-", String(repeating: "a", count: 254)] { #expect(!Names.isDNS1123Subdomain(bad)) }
    #expect(Names.isDNS1123Label("a-1") && !Names.isDNS1123Label("a.b"))
    let error = MetadataRules.errors(in: ["name": "Bad_Name"]).first
    #expect(
      error?.description.hasPrefix("metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of") == true)
    #expect(MetadataRules.errors(in: [:]).map(\.description) == ["metadata.name: Required value: name or generateName is required"])
    #expect(MetadataRules.errors(in: ["generateName": "a-"]).isEmpty)
  }

  @Test("C10: generated names") func generated() {
    var random = SystemRandomNumberGenerator()
    let name = Names.generated(from: String(repeating: "x", count: 70) + "-", using: &random)
    #expect(name.count == 63 && Names.isDNS1123Label(name))
  }

  @Test("C12: labels, annotations, owners, finalizers") func metadata() {
    let metadata: JSONObject = [
      "name": "a", "labels": ["a b": "x", "ok": "-"], "annotations": ["Kopf.Zalando.org/x": "any text, of any kind"],
      "ownerReferences": [["apiVersion": "v1", "kind": "ConfigMap", "name": "c"]], "finalizers": ["example.com/ok", "/no", "a/b/c"],
    ]
    let errors = MetadataRules.errors(in: metadata)
    #expect(
      errors.map(\.field)
        == ["metadata.labels", "metadata.labels", "metadata.ownerReferences.uid", "metadata.finalizers", "metadata.finalizers"])
    #expect(errors[2].body == #"Invalid value: "": must not be empty"#)
    #expect(errors[4].body.hasPrefix(#"Invalid value: "a/b/c": a valid label key must consist of"#))
  }

  @Test("C9: the length of a name is told in characters", arguments: ["name", "generateName"]) func longNames(member: String) {
    let name = String(repeating: "a", count: 254)
    let errors = MetadataRules.errors(in: [member: .string(name)])
    #expect(errors.map(\.detail) == ["must be no more than 253 characters"])
  }

  @Test("C12: the length of a label is told in bytes") func longLabels() {
    let part = String(repeating: "a", count: 64)
    #expect(Names.labelValueErrors(part) == ["must be no more than 63 bytes"])
    let prefix = String(repeating: "a", count: 254)
    #expect(
      Names.qualifiedNameErrors("\(prefix)/\(part)") == [
        "prefix part must be no more than 253 bytes", "name part must be no more than 63 bytes",
      ])
  }

  @Test("C12: finalizers that could be anybody's get a Warning when they are new") func finalizerWarnings() {
    let new: JSONValue = ["foo", "finalizer.example.com", "example.com/ok", "foregroundDeletion", "orphan", "kubernetes", "old"]
    let end = "to avoid accidental conflicts with other finalizer writers"
    #expect(
      Finalizers.warnings(new, before: ["old"]) == [
        "metadata.finalizers: \"foo\": prefer a domain-qualified finalizer name \(end)",
        "metadata.finalizers: \"finalizer.example.com\": prefer a domain-qualified finalizer name including a path (/) \(end)",
      ])
    #expect(Finalizers.warnings(["old"], before: ["old"]).isEmpty && Finalizers.warnings(nil).isEmpty)
  }

  @Test(
    "C12: owners",
    arguments: [
      (
        #"{"uid":"b","name":"a","kind":"Event","apiVersion":"v1"}"#,
        #"metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"b"}: "#
          + "/v1, Kind=Event is disallowed from being an owner"
      ),
      (
        #"{"uid":"b","name":"a","kind":"K","apiVersion":"a/b/c"}"#,
        #"metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty"#
      ),
      (
        #"{"uid":"b","name":"a","kind":"K"}"#, #"metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty"#
      ),
      (
        #"{"uid":"b","name":"a","kind":"K","apiVersion":"apps/"}"#,
        #"metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty"#
      ),
      (
        #"{"uid":"b","name":"a","kind":"","apiVersion":"v1"}"#, #"metadata.ownerReferences.kind: Invalid value: "": must not be empty"#
      ), (#"{"uid":"b","name":"a","kind":"Event","apiVersion":"events.k8s.io/v1"}"#, ""),
    ])
  func owners(owner: String, fault: String) throws {
    let errors = MetadataRules.errors(in: ["name": "a", "ownerReferences": [try JSONValue(parsing: owner)]])
    #expect(errors.map(\.description).joined() == fault)
  }

  @Test("C12: however many controllers there are, they are one fault") func controllers() {
    let owners = (0..<500).map { number -> JSONValue in
      ["apiVersion": "v1", "kind": "K", "name": "n", "uid": .string("\(number)"), "controller": true]
    }
    let errors = MetadataRules.errors(in: ["name": "a", "ownerReferences": .array(owners)])
    #expect(errors.count == 1 && errors[0].body.hasSuffix("Found \"true\" in references for K/n and K/n"))
    #expect(errors[0].body.utf8.count < 2000, "what is shown of the value has a limit")
  }

  @Test("C12: equal owners are one") func equalOwners() throws {
    func owner(_ uid: String, _ name: String = "a") -> JSONValue { ["uid": .string(uid), "name": .string(name)] }
    let owners: JSONValue = [owner("b"), owner("c"), ["name": "a", "uid": "b"], owner("c"), owner("b", "z")]
    var object: JSONValue = ["metadata": ["ownerReferences": owners]]
    let warning = OwnerReferences.removeDuplicates(of: &object)
    #expect(object["metadata"]?["ownerReferences"] == [owner("b"), owner("c"), owner("b", "z")])
    #expect(warning?.hasPrefix(".metadata.ownerReferences contains duplicate entries; ") == true)
    #expect(warning?.hasSuffix("please fix your requests; duplicate UID(s) observed: b, c") == true)
    #expect(OwnerReferences.removeDuplicates(of: &object) == nil)
  }
}
