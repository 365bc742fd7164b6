import Certificates
package import HTTPMessage
import JSON
package import KubeClient
package import Logging
import OrderedCollections
import Synchronization

/// What kube-system/extension-apiserver-authentication says about the CAs of users and of the front proxy (kubernetes-wire §2.1, F13), kept
/// current. What is malformed or vanishes leaves the last good content.
package final class ClusterAuthentication: Sendable {
  package struct Content: Sendable, Hashable {
    /// PEM; nil when the cluster has none for client certificates.
    package var clientCA: String?
    /// PEM; nil when the cluster has no front proxy.
    package var requestHeaderCA: String?
    package var rules: RequestHeaderRules

    package init(clientCA: String? = nil, requestHeaderCA: String? = nil, rules: RequestHeaderRules = RequestHeaderRules()) {
      self.clientCA = clientCA
      self.requestHeaderCA = requestHeaderCA
      self.rules = rules
    }
  }

  package static let name = "extension-apiserver-authentication"

  private let logger: Logger
  private let onChange: @Sendable (Content) -> Void
  private let state = Mutex<Content?>(nil)
  private let informer = Mutex<Informer?>(nil)

  /// - Parameter onChange: called with each new content, once at a time.
  package init(
    _ api: any KubeAPI, surroundings: Informer.Surroundings = Informer.Surroundings(), logger: Logger,
    onChange: @escaping @Sendable (Content) -> Void
  ) {
    self.logger = logger
    self.onChange = onChange
    let informer = Informer(
      api, path: "/api/v1/namespaces/kube-system/configmaps", query: [("fieldSelector", "metadata.name=\(Self.name)")],
      surroundings: surroundings, logger: logger
    ) { [weak self] change in
      switch change {
      case .replaced(let objects): if let object = objects.first { self?.take(object) } else { self?.vanished() }
      case .set(let object): self?.take(object)
      case .deleted: self?.vanished()
      }
    }
    self.informer.withLock { $0 = informer }
  }

  /// The last good content; nil when there was none yet.
  package var content: Content? { state.withLock { $0 } }

  /// Looks once, to know at the start whether it works.
  package func load() async throws(KubeError) { _ = try await informer.withLock { $0 }?.list() }

  /// Watches until the task is cancelled.
  package func run() async { await informer.withLock { $0 }?.run() }

  private func vanished() {
    logger.warning("the ConfigMap kube-system/\(Self.name) is not there; what it said last stays in use")
  }

  private func take(_ object: JSONValue) {
    var problems: [String] = []
    let data = object["data"]?.object ?? [:]
    let (content, isNew) = state.withLock { state -> (Content?, Bool) in
      let content = Self.content(data, last: state, problems: &problems)
      defer { state = content ?? state }
      return (content, content != state)
    }
    for problem in problems {
      logger.error(
        "the ConfigMap kube-system/\(Self.name): what it said last of this stays in use", metadata: ["problem": "\(problem)"])
    }
    if let content, isNew { onChange(content) }
  }

  /// What the ConfigMap's data say; of what is malformed, or a CA that vanished, what they said last. The header names belong to the front
  /// proxy's CA and stay with it: without its list of common names, a CA that was kept would vouch for more than it did. The users' CA and the
  /// front proxy's do not depend on each other: one that is malformed does not keep the other out.
  /// - Returns: nil when something is malformed, and there is nothing to keep and nothing to use.
  static func content(_ data: JSONObject, last: Content?, problems: inout [String]) -> Content? {
    var content = last ?? Content()
    var keeps = false
    func attempt(_ read: () throws(ContentError) -> Void) {
      do throws(ContentError) { try read() } catch {
        problems.append(error.text)
        keeps = true
      }
    }
    func read(_ key: String, _ member: WritableKeyPath<Content, String?>) throws(ContentError) {
      if let pem = try bundle(data, key) { return content[keyPath: member] = pem }
      if content[keyPath: member] != nil { throw ContentError(text: "\(key) is missing") }
    }
    attempt { () throws(ContentError) in try read("client-ca-file", \.clientCA) }
    attempt { () throws(ContentError) in
      try read("requestheader-client-ca-file", \.requestHeaderCA)
      do throws(ContentError) { content.rules = try rules(data) } catch {
        // A new CA counts all the same with the rules of the old, which may have been withdrawn; where there are none, it would vouch for
        // every name.
        if last?.requestHeaderCA == nil { content.requestHeaderCA = nil }
        throw error
      }
    }
    let isEmpty = content.clientCA == nil && content.requestHeaderCA == nil
    return keeps && last == nil && isEmpty ? nil : content
  }

  private struct ContentError: Error { var text: String }

  private static func rules(_ data: JSONObject) throws(ContentError) -> RequestHeaderRules {
    var rules = RequestHeaderRules()
    rules.allowedNames = try list(data, "requestheader-allowed-names") ?? []
    rules.user = try names(data, "requestheader-username-headers") ?? rules.user
    rules.uid = try names(data, "requestheader-uid-headers") ?? []
    rules.group = try names(data, "requestheader-group-headers") ?? rules.group
    rules.extraPrefix = try names(data, "requestheader-extra-headers-prefix") ?? rules.extraPrefix
    return rules
  }

  private static func bundle(_ data: JSONObject, _ key: String) throws(ContentError) -> String? {
    guard let pem = data[key]?.string, !pem.isEmpty else { return nil }
    do { _ = try CertificateBundle(pem: Array(pem.utf8)) } catch { throw ContentError(text: "\(key): \(error)") }
    return pem
  }

  /// Without empty ones: every header begins with an empty prefix.
  private static func names(_ data: JSONObject, _ key: String) throws(ContentError) -> [String]? {
    try list(data, key)?.filter { !$0.allSatisfy(\.isWhitespace) }
  }

  /// A JSON array of texts inside a text. nil when absent.
  private static func list(_ data: JSONObject, _ key: String) throws(ContentError) -> [String]? {
    guard let text = data[key]?.string, !text.isEmpty else { return nil }
    guard let values = (try? JSONValue(parsing: text))?.array, values.allSatisfy({ $0.string != nil }) else {
      throw ContentError(text: "\(key) is not a JSON array of texts")
    }
    return values.compactMap(\.string)
  }
}
