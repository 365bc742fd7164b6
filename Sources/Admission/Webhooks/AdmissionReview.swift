import JSON
import KubeWire
import OrderedCollections
import Translation

/// What goes to a webhook and what comes back (admission.k8s.io/v1 and v1beta1 AdmissionReview).
struct AdmissionReview {
  let uid: String
  let apiVersion: String

  /// The first of the webhook's versions that we speak.
  ///
  /// - Throws: ``WebhookFailure`` when there is none.
  init(for webhook: Webhook, uid: String) throws(WebhookFailure) {
    guard let version = webhook.reviewVersions.first(where: { $0 == "v1" || $0 == "v1beta1" }) else {
      throw .calling("could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)")
    }
    self.uid = uid
    apiVersion = "admission.k8s.io/\(version)"
  }

  func body(_ write: Write) -> [UInt8] {
    var request: JSONObject = ["uid": .string(uid)]
    for (name, value) in write.request where name != "dryRun" && name != "options" { request[name] = value }
    request["object"] = write.attributes.object ?? .null
    request["oldObject"] = write.attributes.oldObject ?? .null
    request["dryRun"] = .bool(write.attributes.dryRun)
    request["options"] = write.attributes.options
    let review: JSONValue = ["kind": "AdmissionReview", "apiVersion": .string(apiVersion), "request": .object(request)]
    return review.encoded
  }

  /// - Throws: ``WebhookFailure`` for an answer that is not what the API says.
  func response(_ answer: WebhookAnswer, isMutating: Bool) throws(WebhookFailure) -> AdmissionResponse {
    guard (200...299).contains(answer.code) else { throw .calling("failed to call webhook: \(Self.refusal(answer))") }
    let review: JSONValue
    do throws(JSONError) { review = try JSONValue(parsing: answer.body) } catch {
      throw .calling("failed to call webhook: couldn't get version/kind; json parse error: \(error)")
    }
    func invalid(_ reason: String) -> WebhookFailure { .calling("received invalid webhook response: \(reason)") }
    guard let response = review["response"], response.object != nil else { throw invalid("webhook response was absent") }
    let patch = response["patch"]?.string ?? ""
    let patchType = response["patchType"]?.string
    if apiVersion == "admission.k8s.io/v1" {
      let found = response["uid"]?.string ?? ""
      guard found == uid else { throw invalid("expected response.uid=\(GoText.quoted(uid)), got \(GoText.quoted(found))") }
      let kind = "\(review["apiVersion"]?.string ?? ""), Kind=\(review["kind"]?.string ?? "")"
      guard kind == "\(apiVersion), Kind=AdmissionReview" else {
        throw invalid("expected webhook response of \(apiVersion), Kind=AdmissionReview, got \(kind)")
      }
      if isMutating {
        if !patch.isEmpty, patchType == nil { throw invalid("webhook returned response.patch but not response.patchType") }
        if patch.isEmpty, patchType != nil { throw invalid("webhook returned response.patchType but not response.patch") }
      } else {
        if !patch.isEmpty { throw invalid("validating webhook may not return response.patch") }
        if patchType != nil { throw invalid("validating webhook may not return response.patchType") }
      }
    }
    return AdmissionResponse(response, patch: isMutating ? patch : "", patchType: patchType ?? "JSONPatch")
  }

  /// The words of client-go for an answer that is no success.
  private static func refusal(_ answer: WebhookAnswer) -> String {
    switch answer.code {
    case 400: return "the server rejected our request for an unknown reason"
    case 401: return "the server has asked for the client to provide credentials"
    case 403: return "forbidden"
    case 404: return "the server could not find the requested resource"
    case 405: return "the server does not allow this method on the requested resource"
    case 413: return "the server responded with the status code 413 but did not return more information"
    case 429: return "the server has received too many requests and has asked us to try again later"
    case 500...599:
      let text = String(decoding: answer.body.prefix(512), as: UTF8.self).split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
      return "an error on the server (\(GoText.quoted(text.isEmpty ? "unknown" : text))) has prevented the request from succeeding"
    default: return "the server responded with the status code \(answer.code) but did not return more information"
    }
  }
}

/// What a webhook says of a write.
struct AdmissionResponse {
  let isAllowed: Bool
  /// A metav1.Status, of a refusal.
  let result: JSONValue?
  let auditAnnotations: [(key: String, value: String)]
  let warnings: [String]
  /// Base64; empty for no change.
  let patch: String
  let patchType: String

  init(_ response: JSONValue, patch: String, patchType: String) {
    isAllowed = response["allowed"]?.bool ?? false
    result = response["status"]
    auditAnnotations = (response["auditAnnotations"]?.object ?? [:]).compactMap { key, value in value.string.map { (key, $0) } }
    warnings = response.strings("warnings")
    self.patch = patch
    self.patchType = patchType
  }

  /// The refusal, with the webhook's own code, reason and text.
  func refusal(by webhook: String) -> StatusError {
    let prefix = "admission webhook \(GoText.quoted(webhook)) denied the request"
    let message = result?["message"]?.string ?? ""
    let reason = result?["reason"]?.string ?? ""
    var status = Status(code: max(400, Int(result?["code"]?.int ?? 0)), reason: reason, message: prefix)
    if !message.isEmpty {
      status.message += ": \(message)"
    } else if !reason.isEmpty {
      status.message += ": \(reason)"
    } else {
      status.message += " without explanation"
    }
    // A code that is no refusal's would be read as something else by every client.
    if status.code > 599 { status.code = 400 }
    if let details = result?["details"], details.object != nil {
      status.details = Status.Details(
        name: details["name"]?.string ?? "", group: details["group"]?.string ?? "", kind: details["kind"]?.string ?? "",
        uid: details["uid"]?.string ?? "",
        causes: (details["causes"]?.array ?? []).map {
          Status.Cause(reason: $0["reason"]?.string ?? "", message: $0["message"]?.string ?? "", field: $0["field"]?.string ?? "")
        },
        retryAfterSeconds: details["retryAfterSeconds"]?.int.flatMap { Int(exactly: $0) })
    }
    return StatusError(status)
  }
}
