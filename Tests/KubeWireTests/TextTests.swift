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
      "ownerReferences": [["apiVersion": "v1", "kind": "ConfigMap", "name": "c"]], "finalizers": ["example.com/ok", "/no"],
    ]
    let errors = MetadataRules.errors(in: metadata)
    #expect(errors.map(\.field) == ["metadata.labels", "metadata.labels", "metadata.ownerReferences[0].uid", "metadata.finalizers[1]"])
  }
}
