import JSON
import KubeWire
import Logging
import OrderedCollections
import Translation

/// The MutatingWebhookConfigurations of the cluster: asked one after the other, by the name of the configuration and the order in it.
struct MutatingWebhooks: Sendable {
  let configurations: Collection<[Webhook]>
  let connection: WebhookConnection
  let logger: Logger

  /// - Parameter write: its object is changed in place.
  /// - Throws: the refusal of a webhook, or 500 for one that could not be asked and whose failure policy is Fail.
  func mutate(_ write: inout Write, rounds: inout Reinvocation, authorizer: RequestAuthorizer) async throws(StatusError) {
    rounds.begin(.webhooks, object: write.attributes.object)
    for (index, webhook) in configurations.items.joined().enumerated() {
      guard try await webhook.matches(write, authorizer: authorizer) else { continue }
      // The second round calls nobody for the first time.
      guard rounds.shouldCall(webhook.uid, of: .webhooks) else { continue }
      let before = write.attributes.object
      try await call(webhook, index: index, round: rounds.isSecond ? 1 : 0, &write)
      if write.attributes.object != before { rounds.changed(by: .webhooks) }
      if webhook.isReinvocable { rounds.called(webhook.uid, of: .webhooks) }
    }
    rounds.end(.webhooks, object: write.attributes.object)
  }

  private func call(_ webhook: Webhook, index: Int, round: Int, _ write: inout Write) async throws(StatusError) {
    let place = "mutation.webhook.admission.k8s.io/round_\(round)_index_\(index)"
    var changed = false
    do throws(WebhookFailure) {
      let response = try await connection.ask(webhook, about: write, isMutating: true)
      changed = try apply(response, of: webhook, to: &write)
    } catch {
      note(place, webhook, changed: false, write)
      switch error {
      case .refused(let refusal): throw refusal
      case .calling(let reason):
        let text = WebhookFailure.text(webhook.name, reason)
        let isIgnored = webhook.failurePolicy == .ignore
        logger.warning(
          "a mutating webhook could not be asked",
          metadata: ["webhook": "\(webhook.name)", "failurePolicy": isIgnored ? "Ignore" : "Fail", "error": "\(text)"])
        guard isIgnored else { throw .internalError(text) }
        write.note("failed-open.\(place)", webhook.name)
        guard write.attributes.context.deadline > connection.clock.now else { throw WebhookConnection.requestTimedOut }
        return
      }
    }
    note(place, webhook, changed: changed, write)
  }

  private func note(_ key: String, _ webhook: Webhook, changed: Bool, _ write: Write) {
    let value: JSONValue = [
      "configuration": .string(webhook.configuration), "webhook": .string(webhook.name), "mutated": .bool(changed),
    ]
    write.note(key, value.text)
  }

  /// - Returns: whether the object is another now.
  private func apply(_ response: AdmissionResponse, of webhook: Webhook, to write: inout Write) throws(WebhookFailure) -> Bool {
    guard !response.patch.isEmpty else { return false }
    func undecodable(_ reason: String) -> WebhookFailure { .calling("received undecodable patch in webhook response: \(reason)") }
    guard let bytes = Base64Bytes.decoded(response.patch) else { throw undecodable("the patch is not base64") }
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw undecodable("\(error)") }
    guard json.array?.isEmpty != true, !json.isNull else { return false }
    let patch: JSONPatch
    do throws(JSONPatch.Failure) { patch = try JSONPatch(json: json) } catch { throw undecodable(error.message) }
    guard let object = write.attributes.object else {
      throw .refused(
        .internalError(
          "admission webhook \(GoText.quoted(webhook.name)) attempted to modify the object, which is not supported for this operation"))
    }
    guard response.patchType == "JSONPatch" else { throw .calling("unsupported patch type \(GoText.quoted(response.patchType))") }
    let patched: JSONValue
    do throws(JSONPatch.Failure) { patched = try patch.apply(to: object) } catch { throw .refused(.internalError(error.message)) }
    do throws(StatusError) {
      write.attributes.object = try ObjectForm.read(patched, as: write.attributes.resource, in: write.group)
    } catch {
      throw .refused(error)
    }
    return write.attributes.object != object
  }
}
