import HTTPMessage
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import APIServer

/// What the path, the query and the header of a request say besides the resource.
@Suite(.timeLimit(.minutes(10))) struct RequestTargetTests {
  private static let collection = "/namespaces/default/workflows"

  @Test(
    "the watch prefix is the watch of today",
    arguments: [
      ("/workflows", "", "/workflows", "watch=true"),
      ("/workflows/", "watch=false&limit=1", "/workflows/", "watch=true&watch=false&limit=1"),
      ("/namespaces/d/workflows", "", "/namespaces/d/workflows", "watch=true"),
      ("/namespaces/d/workflows/a%2B", "", "/namespaces/d/workflows", "fieldSelector=metadata.name%3Da%2B&watch=true"),
      (
        "/namespaces/d/workflows/a", "fieldSelector=status.phase%3DFailed", "/namespaces/d/workflows",
        "fieldSelector=metadata.name%3Da%2Cstatus.phase%3DFailed&watch=true&fieldSelector=status.phase%3DFailed"
      ),
      ("/workflowbackends/a", "", "/workflowbackends", "fieldSelector=metadata.name%3Da&watch=true"),
    ])
  func watchPrefix(_ path: String, _ query: String, _ today: String, _ todaysQuery: String) {
    let found = WatchPrefix.replaced(in: HTTPRequest(method: "GET", path: TestServer.base + "/watch" + path, query: query))
    #expect(found.path == TestServer.base + today && found.query == todaysQuery)
    let info = RequestInfo(method: "GET", path: found.path, query: QueryParameters(found.query))
    #expect(info?.verb == "watch" && info?.resource.hasPrefix("workflow") == true && info?.hasName == false)
  }

  @Test("the name of the path is the one that counts, whatever is in it and whatever else is selected")
  func watchPrefixName() throws {
    let request = HTTPRequest(
      method: "GET", path: TestServer.base + "/watch/namespaces/d/workflows/a%2Cb%3D%5C", query: "fieldSelector=metadata.name%3Dz")
    let found = WatchPrefix.replaced(in: request)
    let info = try #require(RequestInfo(method: "GET", path: found.path, query: QueryParameters(found.query)))
    #expect(info.name == "a,b=\\")
  }

  @Test("what only looks like it stays as it is")
  func noWatchPrefix() {
    let paths = [
      "/watch", "/watch/", "/watch//workflows", "/watch/namespaces/d/workflows/a/status", "/watch/workflows/a/log", "/workflows/watch",
    ]
    for path in paths + ["/namespaces/watch/workflows"] {
      #expect(WatchPrefix.replaced(in: HTTPRequest(method: "GET", path: TestServer.base + path)).path == TestServer.base + path)
    }
    #expect(WatchPrefix.replaced(in: HTTPRequest(method: "POST", path: TestServer.base + "/watch/workflows")).query.isEmpty)
  }

  @Test("names that no object has are 400, for whoever may ask", arguments: ["GET", "PUT", "PATCH", "DELETE"])
  func names(method: String) async {
    let names = [
      ("%2e%2e", #"Name parameter invalid: "..": may not be '..'"#), (".", #"Name parameter invalid: ".": may not be '.'"#),
      ("w%252Da", #"Name parameter invalid: "w%2Da": may not contain '%'"#),
      ("a%2F%25", #"Name parameter invalid: "a/%": may not contain '/';may not contain '%'"#),
    ]
    let server = TestServer()
    for (name, message) in names {
      let answer = await server.send(method, Self.collection + "/" + name)
      #expect(answer.status == 400 && answer.json["reason"] == "BadRequest" && answer.message == message, "\(answer.message)")
    }
    #expect(await server.send(method, "/namespaces/default/zorks/..").status == 404)
  }

  @Test("F10: a watch over WebSocket is told what to do; other upgrades are none")
  func webSocket() async throws {
    try await TestServer.run { server in
      func asked(_ path: String, _ query: String, _ headers: HTTPHeaders) async -> TestServer.Answer {
        let answer = await server.send("GET", path, query: query, headers: headers)
        if case .stream(let stream) = answer.response.body { stream.cancel() }
        return answer
      }
      let upgrade: HTTPHeaders = ["Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"]
      let watch = await asked(Self.collection, "watch=true", upgrade)
      #expect(watch.status == 400 && watch.json["reason"] == "BadRequest")
      #expect(watch.message == "a watch over WebSocket is not served; ask for it without the Upgrade header")
      #expect(await asked(TestServer.base + "/watch/workflows", "", upgrade).status == 400)
      #expect(await asked(Self.collection + "/a/log", "follow=true", upgrade).message.hasPrefix("a log over WebSocket is not served"))
      #expect(await asked(Self.collection, "", upgrade).status == 200)
      for headers in [["Connection": "Upgrade", "Upgrade": "SPDY/3.1"], ["Upgrade": "websocket"], ["Connection": "Upgrade"]] {
        #expect(await asked(Self.collection, "watch=true", HTTPHeaders(headers.map { (name: $0.key, value: $0.value) })).status == 200)
      }
    }
  }

  @Test("export, which was a parameter once, is refused", arguments: ["", "/a"])
  func export(path: String) async throws {
    try await TestServer.run { server in
      let answer = await server.get(Self.collection + path, query: "export=true")
      #expect(answer.status == 400 && answer.message == "the export parameter, deprecated since v1.14, is no longer supported")
      #expect(await server.get(Self.collection, query: "export=false").status == 200)
    }
  }

  @Test("JSON ends with one line feed, in whatever form it is asked for; OpenAPI has none")
  func lineFeed() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
      let paths = [Self.collection, Self.collection + "/a", Self.collection + "/no-such", TestServer.base, "/apis", "/api", "/zork"]
      for path in paths {
        for answer in [
          await server.get(path), await server.get(path, accept: path.hasPrefix("/namespaces") ? table : nil),
          await server.get(path, query: "pretty=true"),
        ] {
          #expect(answer.bytes.suffix(2) == [UInt8(ascii: "}"), 0x0A], "\(path): \(answer.bytes.suffix(9).text)")
        }
      }
      #expect(await server.send("DELETE", Self.collection + "/no-such").bytes.last == 0x0A)
      #expect(await server.get("/openapi/v2", accept: "application/json").bytes.last == UInt8(ascii: "}"))
      #expect(await server.get("/openapi/v3").bytes.last == UInt8(ascii: "}"))
    }
  }
}
