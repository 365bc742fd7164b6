internal import JSON

/// What a PATCH asks for, by its media type (kubernetes-wire C18, S3).
enum PatchBody: Sendable {
  enum MediaType: String {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case apply = "application/apply-patch+yaml"
  }

  /// RFC 6902: the list of operations, not checked yet. - strictErrors: see ``PatchText``.
  case json(JSONValue, strictErrors: [String])
  /// RFC 7386. - strictErrors: see ``PatchText``.
  case merge(JSONValue, strictErrors: [String])
  /// The configuration of one field manager, as a text, in which members may come twice.
  case apply(JSONView)
}
