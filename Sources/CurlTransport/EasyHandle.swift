import AdapterKit
private import CCurl

/// The options of one transfer.
enum EasyHandle {
  /// Sets up a fresh or reset handle for a transfer. The callbacks get the transfer unretained: the driver keeps it while the handle is active.
  ///
  /// - Throws: `.invalidRequest` naming the option that this libcurl refuses.
  static func prepare(_ handle: UnsafeMutableRawPointer, for transfer: Transfer, _ configuration: CurlConfiguration) throws(TransportError)
  {
    let checked = transfer.checked
    let request = checked.request
    let options = Options(handle: handle)
    let context = Unmanaged.passUnretained(transfer).toOpaque()

    let route = Route(checked, configuration)
    try options.set("the URL", CURLOPT_URL, route.url)
    try options.set("protocols", CURLOPT_PROTOCOLS_STR, "http,https")
    try options.set("signals", CURLOPT_NOSIGNAL, 1)
    // A cancelled transfer must not wait for the resolver's thread, and with it every other transfer.
    try options.set("quick exit", CURLOPT_QUICK_EXIT, 1)
    try options.set("redirects", CURLOPT_FOLLOWLOCATION, 0)
    // A peer that vanished is noticed when a keep-alive, or what was sent, stays without acknowledgement for that long.
    try options.set("keep-alive", CURLOPT_TCP_KEEPALIVE, 1)
    // Several probes within the limit: with TCP_USER_TIMEOUT one that is lost would be enough to end an idle connection.
    let silence = max(1, configuration.silence.milliseconds)
    try options.set("keep-alive", CURLOPT_TCP_KEEPIDLE, max(1, silence / 2_000))
    try options.set("keep-alive", CURLOPT_TCP_KEEPINTVL, max(1, silence / 6_000))
    ccurl_set_user_timeout(handle, UInt32(clamping: silence))
    try options.set("user agent", CURLOPT_USERAGENT, configuration.userAgent)
    try options.set("encodings", CURLOPT_ACCEPT_ENCODING, "")
    try options.set("connect timeout", CURLOPT_CONNECTTIMEOUT_MS, max(1, configuration.connectTimeout.milliseconds))
    if transfer.buffer == nil { try options.set("timeout", CURLOPT_TIMEOUT_MS, checked.timeoutMilliseconds) }
    if checked.scheme == "https" {
      try tls(options, configuration)
    }
    if checked.scheme == "https", !configuration.isHTTP1Only {
      try options.set("HTTP version", CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
      try options.set("multiplexing", CURLOPT_PIPEWAIT, 1)
    } else {
      try options.set("HTTP version", CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    }
    try options.set("proxy", CURLOPT_PROXY, configuration.proxy(forScheme: checked.scheme))
    try options.set("no-proxy", CURLOPT_NOPROXY, configuration.directHosts)
    try options.set("proxy headers", CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    if let path = configuration.unixSocketPath { try options.set("unix socket", CURLOPT_UNIX_SOCKET_PATH, path) }

    try method(options, request)
    try headers(options, request, route, transfer)
    if let target = route.connectTo { try connect(options, target, transfer) }

    ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, transfer.errorText)
    ccurl_set_pointer(handle, CURLOPT_PRIVATE, context)
    ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    ccurl_set_pointer(handle, CURLOPT_PREREQDATA, context)
    ccurl_set_data_callback(handle, CURLOPT_WRITEFUNCTION, onData)
    ccurl_set_data_callback(handle, CURLOPT_HEADERFUNCTION, onHeader)
    ccurl_set_prereq_callback(handle, onAttempt)
  }

  private static func tls(_ options: Options, _ configuration: CurlConfiguration) throws(TransportError) {
    try options.set("TLS version", CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try options.set("peer verification", CURLOPT_SSL_VERIFYPEER, configuration.insecureSkipVerify ? 0 : 1)
    try options.set("host verification", CURLOPT_SSL_VERIFYHOST, configuration.insecureSkipVerify ? 0 : 2)
    // libcurl keeps a CA file that it has read for a day otherwise.
    try options.set("CA cache", CURLOPT_CA_CACHE_TIMEOUT, 60)
    if let pem = configuration.caPEM {
      try options.set("CA", CURLOPT_CAINFO_BLOB, pem)
      ccurl_set_string(options.handle, CURLOPT_CAPATH, nil)
    } else if let file = configuration.caFile {
      try options.set("CA file", CURLOPT_CAINFO, file)
      // Else the system's directory would be trusted beside the file.
      ccurl_set_string(options.handle, CURLOPT_CAPATH, nil)
    }
    if let pem = configuration.clientCertificatePEM {
      try options.set("client certificate", CURLOPT_SSLCERT_BLOB, pem)
    } else if let file = configuration.clientCertificateFile {
      try options.set("client certificate", CURLOPT_SSLCERT, file)
    }
    if let pem = configuration.clientKeyPEM {
      try options.set("client key", CURLOPT_SSLKEY_BLOB, pem)
    } else if let file = configuration.clientKeyFile {
      try options.set("client key", CURLOPT_SSLKEY, file)
    }
  }

  private static func connect(_ options: Options, _ target: String, _ transfer: Transfer) throws(TransportError) {
    guard let list = curl_slist_append(nil, target) else {
      throw TransportError(.invalidRequest, "out of memory", mayHaveBeenSent: false)
    }
    transfer.connectList = UnsafeMutableRawPointer(list)
    guard ccurl_set_list(options.handle, CURLOPT_CONNECT_TO, list) == CURLE_OK else {
      throw TransportError(.invalidRequest, "libcurl does not take the address to connect to", mayHaveBeenSent: false)
    }
  }

  private static func method(_ options: Options, _ request: TransportRequest) throws(TransportError) {
    let needsLength = ["POST", "PUT", "PATCH"].contains(request.method)
    if let body = request.body ?? (needsLength ? [] : nil) {
      // The size goes first: copying without it would stop at a zero byte.
      guard ccurl_set_offset(options.handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count)) == CURLE_OK,
        body.withUnsafeBytes({ bytes in
          // An empty array may have no address at all, which libcurl takes for "no body set: read it from a callback".
          bytes.baseAddress.map { ccurl_set_pointer(options.handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0)) }
            ?? ccurl_set_string(options.handle, CURLOPT_COPYPOSTFIELDS, "")
        }) == CURLE_OK
      else { throw TransportError(.invalidRequest, "libcurl does not take the request's body", mayHaveBeenSent: false) }
      if request.method != "POST" { try options.set("method", CURLOPT_CUSTOMREQUEST, request.method) }
    } else if request.method == "HEAD" {
      try options.set("method", CURLOPT_NOBODY, 1)
    } else {
      try options.set("method", CURLOPT_HTTPGET, 1)
      if request.method != "GET" { try options.set("method", CURLOPT_CUSTOMREQUEST, request.method) }
    }
  }

  private static func headers(_ options: Options, _ request: TransportRequest, _ route: Route, _ transfer: Transfer) throws(TransportError)
  {
    var list: UnsafeMutablePointer<curl_slist>?
    defer { transfer.headerList = UnsafeMutableRawPointer(list) }
    // libcurl would ask for leave before a large body and wait a second for it, and call every body a form.
    var lines = ["Expect:"]
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
    if let host = route.hostHeader, !request.headers.contains(where: { $0.name.lowercased() == "host" }) { lines.append("Host: \(host)") }
    // "Name;" is how libcurl is told to send a header without a value.
    for (name, value) in request.headers { lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)") }
    for line in lines {
      guard let longer = curl_slist_append(list, line) else {
        throw TransportError(.invalidRequest, "out of memory", mayHaveBeenSent: false)
      }
      list = longer
    }
    guard ccurl_set_list(options.handle, CURLOPT_HTTPHEADER, list) == CURLE_OK else {
      throw TransportError(.invalidRequest, "libcurl does not take the headers", mayHaveBeenSent: false)
    }
  }

  /// Frees what the handle no longer points to.
  static func release(_ transfer: Transfer) {
    curl_slist_free_all(transfer.headerList?.assumingMemoryBound(to: curl_slist.self))
    transfer.headerList = nil
    curl_slist_free_all(transfer.connectList?.assumingMemoryBound(to: curl_slist.self))
    transfer.connectList = nil
  }

  /// The setopt calls, checked: an option that this libcurl refuses fails one request, never the process.
  private struct Options {
    let handle: UnsafeMutableRawPointer

    func set(_ name: StaticString, _ option: CURLoption, _ value: Int) throws(TransportError) {
      try check(name, ccurl_set_long(handle, option, value))
    }
    func set(_ name: StaticString, _ option: CURLoption, _ value: String) throws(TransportError) {
      try check(name, ccurl_set_string(handle, option, value))
    }
    func set(_ name: StaticString, _ option: CURLoption, _ value: [UInt8]) throws(TransportError) {
      try check(name, value.withUnsafeBytes { ccurl_set_blob(handle, option, $0.baseAddress, $0.count) })
    }
    private func check(_ name: StaticString, _ code: CURLcode) throws(TransportError) {
      guard code != CURLE_OK else { return }
      throw TransportError(.invalidRequest, "\(name): \(String(cString: curl_easy_strerror(code)))", mayHaveBeenSent: false)
    }
  }
}

private func transfer(_ context: UnsafeMutableRawPointer) -> Transfer { Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue() }

private let onData: ccurl_data_callback = { data, size, count, context in
  guard let context else { return 0 }
  switch transfer(context).data(UnsafeRawBufferPointer(start: data, count: size * count)) {
  case .all: return size * count
  case .pause: return ccurl_pause()
  // Anything but the count ends the transfer. Zero would be right for an empty piece.
  case .stop: return size * count == 0 ? 1 : 0
  }
}

private let onHeader: ccurl_data_callback = { data, size, count, context in
  guard let context else { return 0 }
  return transfer(context).header(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
}

/// libcurl calls this when the connection stands, before it sends. It also repeats requests by itself, whatever their method, when a kept
/// connection ends without an answer; a write that may have been taken must not be sent twice, so that is refused here.
private let onAttempt: ccurl_prereq_callback = { context, _, _, _, _ in
  guard let context else { return CURL_PREREQFUNC_ABORT }
  let transfer = transfer(context)
  if transfer.attempts > 0, !transfer.checked.isRead, let handle = transfer.handle {
    var sent = 0
    ccurl_get_long(handle, CURLINFO_REQUEST_SIZE, &sent)
    if sent > 0 {
      transfer.stop = .broken
      return CURL_PREREQFUNC_ABORT
    }
  }
  transfer.attempts += 1
  transfer.sentAt = monotonicNow()
  return CURL_PREREQFUNC_OK
}

extension Duration {
  var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
  var nanoseconds: UInt64 { UInt64(max(0, milliseconds)) * 1_000_000 }
}
