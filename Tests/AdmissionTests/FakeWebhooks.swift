import Admission
import JSON
import Synchronization

/// Webhooks in memory, by the path of their URL.
final class FakeWebhooks: WebhookCalling {
  enum Answer: Sendable {
    case allow
    /// Members of `response` in addition to uid and allowed.
    case response(JSONValue)
    case patch(JSONValue)
    /// A whole review in which `UID` is replaced.
    case review(String)
    case raw(code: Int, body: String)
    case unreachable(String)
  }

  private let answers: [String: @Sendable (JSONValue) -> Answer]
  private let seen = Mutex<[(path: String, url: String, request: JSONValue, timeout: Duration)]>([])

  init(_ answers: [String: @Sendable (JSONValue) -> Answer] = [:]) { self.answers = answers }

  var isEmpty: Bool { answers.isEmpty }
  var calls: [(path: String, url: String, request: JSONValue, timeout: Duration)] { seen.withLock { $0 } }
  var paths: [String] { calls.map(\.path) }

  func call(_ call: WebhookCall) async throws(WebhookCallError) -> WebhookAnswer {
    let review = try! JSONValue(parsing: call.body)
    let path = "/" + (call.url.split(separator: "/", omittingEmptySubsequences: true).last ?? "").prefix { $0 != "?" }
    seen.withLock { $0.append((path, call.url, review["request"] ?? .null, call.timeout)) }
    guard let answer = answers[path] else { throw WebhookCallError("connection refused") }
    let uid = review["request"]?["uid"]?.string ?? ""
    func made(_ response: JSONValue) -> WebhookAnswer {
      var response = response
      response["uid"] = .string(uid)
      if response["allowed"] == nil { response["allowed"] = true }
      let body: JSONValue = ["apiVersion": review["apiVersion"] ?? .null, "kind": "AdmissionReview", "response": response]
      return WebhookAnswer(code: 200, body: body.encoded)
    }
    switch answer(review["request"] ?? .null) {
    case .allow: return made([:])
    case .response(let response): return made(response)
    case .patch(let patch): return made(["patchType": "JSONPatch", "patch": .string(Self.base64(patch.encoded))])
    case .review(let text):
      return WebhookAnswer(
        code: 200, body: Array(text.split(separator: "UID", omittingEmptySubsequences: false).joined(separator: uid).utf8))
    case .raw(let code, let body): return WebhookAnswer(code: code, body: Array(body.utf8))
    case .unreachable(let reason): throw WebhookCallError(reason)
    }
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for (i, byte) in chunk.enumerated() { bits |= UInt32(byte) << (16 - 8 * i) }
      for i in 0..<4 { out.append(i <= chunk.count ? alphabet[Int(bits >> (18 - 6 * i) & 63)] : UInt8(ascii: "=")) }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
