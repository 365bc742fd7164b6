import KubeWire

/// How a call of a webhook can end other than with a yes.
enum WebhookFailure: Error, Sendable {
  /// The webhook could not be asked, or gave no answer that can be read: the failure policy decides.
  case calling(String)
  /// The webhook said no, or must not be asked: final.
  case refused(StatusError)

  /// `failed calling webhook "…": …`
  static func text(_ webhook: String, _ reason: String) -> String { "failed calling webhook \(GoText.quoted(webhook)): \(reason)" }
}
