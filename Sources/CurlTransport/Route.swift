import AdapterKit

/// Which name a request asks for, which the server must prove to have, and where it goes. libcurl takes name and proof from the URL, so a
/// server name of its own stands there, and the URL's host becomes the place to connect to.
struct Route {
  var url: String
  /// libcurl's form, `NAME:PORT:HOST:PORT`, where what is empty is any or unchanged.
  var connectTo: String?
  /// What the Host header must say where the URL no longer says it.
  var hostHeader: String?

  init(_ checked: CheckedRequest, _ configuration: CurlConfiguration) {
    url = checked.request.url
    connectTo = configuration.connectTo.map { "::\($0.hasSuffix("]") || !$0.contains(":") ? "\($0):" : $0)" }
    guard checked.scheme == "https", let name = configuration.tlsServerName, !name.isEmpty, name != checked.hostName else { return }
    connectTo = connectTo ?? "::\(checked.hostName):"
    hostHeader = checked.host
    url = "https://\(name)\(checked.host.dropFirst(checked.hostName.count))\(checked.target)"
  }
}
