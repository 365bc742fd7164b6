package import APIServer
import Certificates
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
    let content: Content
    do throws(ContentError) {
      content = try Self.content(object["data"]?.object ?? [:])
    } catch {
      return logger.error(
        "the ConfigMap kube-system/\(Self.name) cannot be used; what it said last stays in use", metadata: ["problem": "\(error.text)"])
    }
    let isNew = state.withLock { state in
      defer { state = content }
      return state != content
    }
    if isNew { onChange(content) }
  }

  struct ContentError: Error { var text: String }

  static func content(_ data: JSONObject) throws(ContentError) -> Content {
    var content = Content()
    content.clientCA = try bundle(data, "client-ca-file")
    content.requestHeaderCA = try bundle(data, "requestheader-client-ca-file")
    content.rules.allowedNames = try list(data, "requestheader-allowed-names") ?? []
    content.rules.user = try list(data, "requestheader-username-headers") ?? content.rules.user
    content.rules.uid = try list(data, "requestheader-uid-headers") ?? []
    content.rules.group = try list(data, "requestheader-group-headers") ?? content.rules.group
    content.rules.extraPrefix = try list(data, "requestheader-extra-headers-prefix") ?? content.rules.extraPrefix
    return content
  }

  private static func bundle(_ data: JSONObject, _ key: String) throws(ContentError) -> String? {
    guard let pem = data[key]?.string, !pem.isEmpty else { return nil }
    do { _ = try CertificateBundle(pem: Array(pem.utf8)) } catch { throw ContentError(text: "\(key): \(error)") }
    return pem
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
