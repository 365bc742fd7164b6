/// How a front proxy says who asks, and which certificates of its CA may say so.
package struct RequestHeaderRules: Sendable, Hashable {
  /// The first header of these with a value is the user's name.
  package var user: [String]
  /// The same for the uid.
  package var uid: [String]
  /// All values of all of these are groups.
  package var group: [String]
  /// What a header's name begins with that holds more about the user. An empty text counts for nothing here: it would take every header,
  /// Authorization too.
  package var extraPrefix: [String]
  /// Common names that the front proxy's certificate may have; empty for any of its CA (kubernetes-wire F1).
  package var allowedNames: [String]

  /// Kubernetes' defaults; the uid is trusted only where the cluster or a flag says so (kubernetes-wire F14).
  package init(
    user: [String] = ["X-Remote-User"], uid: [String] = [], group: [String] = ["X-Remote-Group"],
    extraPrefix: [String] = ["X-Remote-Extra-"], allowedNames: [String] = []
  ) {
    self.user = user
    self.uid = uid
    self.group = group
    self.extraPrefix = extraPrefix
    self.allowedNames = allowedNames
  }
}
