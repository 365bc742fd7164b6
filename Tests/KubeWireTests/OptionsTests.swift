import JSON
import KubeWire
import Testing

@Suite struct OptionsTests {
  private func refusal(_ query: String) -> Status? {
    #expect(throws: StatusError.self) { try ListOptions(query: QueryParameters(query)) }?.status
  }

  @Test("U2: queries are decoded, + is a space, booleans are true unless absent, 0 or false") func queries() {
    let query = QueryParameters("fieldSelector=metadata.name%3Da&labelSelector=a+in+(b)&watch=zork&x=1&x=2&y&z=false&u=FALSE&v=0&w=")
    #expect(query["fieldSelector"] == "metadata.name=a")
    #expect(query["labelSelector"] == "a in (b)")
    #expect(["watch", "y", "w"].allSatisfy(query.bool))
    #expect(!["z", "u", "v", "none"].contains(where: query.bool))
    #expect(query.optionalBool("none") == nil && query.optionalBool("v") == false)
    #expect(query.all("x") == ["1", "2"])
  }

  @Test("U3: integers that do not parse are 400; a negative limit is none") func integers() throws {
    #expect(refusal("limit=zork")?.message == "strconv.ParseInt: parsing \"zork\": invalid syntax")
    #expect(try ListOptions(query: ["limit": "-3"]).limit == 0)
    #expect(try ListOptions(query: ["limit": "500"]).limit == 500)
    // Far too large is as good as none, and must not overflow what is counted with it.
    #expect(try ListOptions(query: ["limit": "9223372036854775807"]).limit == Int(Int32.max))
    #expect(refusal("limit=9223372036854775808")?.message == "strconv.ParseInt: parsing \"9223372036854775808\": value out of range")
  }

  @Test("U3: an empty number is none") func emptyIntegers() {
    for name in ["limit", "timeoutSeconds"] {
      #expect(refusal("\(name)=")?.message == "strconv.ParseInt: parsing \"\": invalid syntax")
    }
  }

  @Test("W9: a watch of less than no time is no watch without end") func negativeTimeout() throws {
    #expect(try ListOptions(query: ["watch": "1", "timeoutSeconds": "-1"]).timeoutSeconds == -1)
  }

  @Test("W3: a watch from the present state says when it has told that", arguments: ["", "0"])
  func initialEventsByDefault(version: String) throws {
    let options = try ListOptions(query: ["watch": "1", "resourceVersion": version])
    #expect(options.sendInitialEvents == true && options.resourceVersionMatch == "NotOlderThan" && !options.allowWatchBookmarks)
    let text = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
    let refused = refusal("watch=1&continue=abc&resourceVersion=\(version)")
    #expect(refused?.message == "ListOptions.meta.k8s.io \"\" is invalid: \(text)")
  }

  @Test("W3: only such a watch") func noInitialEvents() throws {
    #expect(try ListOptions(query: ["watch": "1", "resourceVersion": "7"]).sendInitialEvents == nil)
    #expect(try ListOptions(query: ["resourceVersion": "0"]).sendInitialEvents == nil)
    let said = QueryParameters("watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan")
    #expect(try ListOptions(query: said).sendInitialEvents == false)
  }

  @Test("C1: what cannot be printed is no name of a manager") func unprintableManager() {
    let query: QueryParameters = ["fieldManager": "\u{1}é\u{A0}"]
    let status = #expect(throws: StatusError.self) { try WriteOptions(query: query, kind: "CreateOptions") }?.status
    let value = #"fieldManager: Invalid value: "\x01é\u00a0": invalid character"#
    let faults = "[\(value) U+0001 (at position 0), \(value) U+00A0 (at position 3)]"
    #expect(status?.message == "CreateOptions.meta.k8s.io \"\" is invalid: \(faults)")
  }

  @Test(
    "L: combinations that ValidateListOptions refuses",
    arguments: [
      (
        "resourceVersionMatch=Exact",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
      ),
      (
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""
      ),
      (
        "resourceVersion=1&resourceVersionMatch=Zork",
        "resourceVersionMatch: Unsupported value: \"Zork\": supported values: \"Exact\", \"NotOlderThan\", \"\""
      ), ("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
      (
        "watch=1&sendInitialEvents=true",
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
      ),
      (
        "watch=1&resourceVersionMatch=NotOlderThan",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
      ),
    ])
  func listOptions(query: String, text: String) {
    let status = refusal(query)
    #expect(status?.code == 422 && status?.reason == "Invalid")
    #expect(status?.message == "ListOptions.meta.k8s.io \"\" is invalid: \(text)")
    #expect(status?.details?.causes.count == 1)
  }

  @Test("L, W6, ⁵: resource versions") func resourceVersions() throws {
    let text =
      "invalid resource version: resourceVersion: Invalid value: \"zork\": strconv.ParseUint: parsing \"zork\": invalid syntax"
    #expect(refusal("resourceVersion=zork")?.message == text)
    #expect(refusal("resourceVersion=zork&watch=true")?.code == 400)
    #expect(refusal("resourceVersion=5&continue=x")?.message == "specifying resource version is not allowed when using continue")
    #expect(try ListOptions(query: ["resourceVersion": "17"]).version == 17)
    #expect(try ListOptions(query: ["resourceVersion": "0", "continue": "x"]).version == nil)
  }

  @Test("C1: write options") func writeOptions() throws {
    let query: QueryParameters = ["dryRun": "Zork", "fieldValidation": "Zork"]
    let status = #expect(throws: StatusError.self) { try WriteOptions(query: query, kind: "CreateOptions") }?.status
    #expect(
      status?.message
        == "CreateOptions.meta.k8s.io \"\" is invalid: [dryRun: Unsupported value: [\"Zork\"]: supported values: \"All\", fieldValidation: Unsupported value: \"Zork\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"]"
    )
    let good = try WriteOptions(query: ["dryRun": "All", "fieldValidation": "Strict", "fieldManager": "k"], kind: "CreateOptions")
    #expect(good == WriteOptions(dryRun: true, fieldManager: "k", fieldValidation: .strict))
    #expect(try WriteOptions(query: [:], kind: "CreateOptions").fieldValidation == .warn)
  }

  @Test("C24 to C26: delete options from the body or the query") func deleteOptions() throws {
    let body: JSONValue = ["propagationPolicy": "Background", "preconditions": ["uid": "u", "resourceVersion": "3"]]
    let options = try DeleteOptions(body: body, query: [:])
    #expect(options.propagationPolicy == .background && options.preconditions.uid == "u" && options.preconditions.resourceVersion == "3")
    #expect(try DeleteOptions(body: nil, query: ["propagationPolicy": "Orphan", "dryRun": "All"]).dryRun)
    let status = #expect(throws: StatusError.self) { try DeleteOptions(body: ["propagationPolicy": "Zork"], query: [:]) }?.status
    #expect(
      status?.message
        == "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Zork\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
    )
  }

  @Test(
    "C2: a dryRun that is not understood is never a real delete",
    arguments: [
      (#"[5]"#, 400), (#"[true]"#, 400), (#"[["All"]]"#, 400), (#"[{}]"#, 400), (#"["All",5]"#, 400), (#""All""#, 400),
      (#"{"All":true}"#, 400),
      (#"[null]"#, 422), (#"[""]"#, 422), (#"["all"]"#, 422), (#"["All",""]"#, 422), (#"["None"]"#, 422),
    ])
  func malformedDryRun(value: String, code: Int) throws {
    let body = try JSONValue(parsing: #"{"dryRun":\#(value)}"#)
    let status = #expect(throws: StatusError.self) { try DeleteOptions(body: body, query: [:]) }?.status
    #expect(status?.code == code, "\(status?.message ?? "")")
    if code == 400 {
      #expect(status?.message.hasPrefix("DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: dryRun") == true)
    } else {
      let shown = value.replacing("null", with: "\"\"")
      #expect(
        status?.message
          == "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \(shown): supported values: \"All\"")
    }
  }

  @Test("C2: an empty dryRun in the query is refused, as Kubernetes does, and is no real write") func emptyDryRun() throws {
    for text in ["dryRun=", "dryRun", "dryRun=All&dryRun=", "dryRun=&dryRun=All"] {
      let query = QueryParameters(text)
      for kind in ["CreateOptions", "UpdateOptions", "PatchOptions"] {
        let status = #expect(throws: StatusError.self) { try WriteOptions(query: query, kind: kind) }?.status
        #expect(
          status?.code == 422 && status?.message.hasPrefix("\(kind).meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [") == true)
      }
      for body in [nil, JSONValue.emptyObject] {
        #expect(throws: StatusError.self) { try DeleteOptions(body: body, query: query) }
      }
    }
    #expect(try WriteOptions(query: QueryParameters("dryRun=All&dryRun=All"), kind: "CreateOptions").dryRun)
    #expect(try DeleteOptions(body: ["dryRun": []], query: [:]).dryRun == false)
    #expect(try DeleteOptions(body: ["dryRun": nil], query: [:]).dryRun == false)
    #expect(try DeleteOptions(body: ["dryRun": ["All"]], query: [:]).dryRun)
  }
}
