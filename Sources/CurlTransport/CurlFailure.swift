import AdapterKit
private import CCurl

/// Says in our words why libcurl gave up.
func transportError(curlCode rawCode: UInt32, of transfer: Transfer) -> TransportError {
  let host = transfer.checked.host
  // The last moment at which certainly nothing of the request had left: libcurl announces each attempt right before it sends.
  let sent = transfer.attempts > 0
  if let stop = transfer.stop {
    switch stop {
    case .tooLarge:
      let limit = transfer.checked.request.maximumResponseBytes
      return TransportError(.tooLarge, "the answer of \(host) is larger than \(limit) bytes", mayHaveBeenSent: sent)
    case .timeout: return TransportError(.timeout, "\(host) did not begin to answer in time", mayHaveBeenSent: sent)
    case .cancelled: return TransportError(.cancelled, "the request to \(host) was cancelled", mayHaveBeenSent: sent)
    case .broken where transfer.headIsComplete:
      return TransportError(.broken, "the connection to \(host) has been silent for too long", mayHaveBeenSent: sent)
    default:
      return TransportError(
        stop, "the connection to \(host) ended before the answer came; the request was not repeated", mayHaveBeenSent: sent)
    }
  }
  let code = CURLcode(rawCode)
  let words = String(cString: curl_easy_strerror(code))
  // The text of libcurl's buffer names hosts, ports and certificates in these phases, and nothing of the request.
  let detail = transfer.errorText.pointee == 0 ? words : String(cString: transfer.errorText)
  switch code {
  case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
    return TransportError(.resolve, "\(host): \(detail)", mayHaveBeenSent: sent)
  case CURLE_COULDNT_CONNECT, CURLE_PROXY, CURLE_INTERFACE_FAILED:
    return TransportError(.connect, "\(host): \(detail)", mayHaveBeenSent: sent)
  case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
    CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
    CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
    return TransportError(.tls, "\(host): \(detail)", mayHaveBeenSent: sent)
  case CURLE_OPERATION_TIMEDOUT:
    let what = sent ? "did not answer in time" : "could not be connected to in time"
    return TransportError(.timeout, "\(host) \(what)", mayHaveBeenSent: sent)
  case CURLE_UNSUPPORTED_PROTOCOL where sent:
    return TransportError(.broken, "\(host) answered with something that is not HTTP", mayHaveBeenSent: true)
  case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN:
    return TransportError(.invalidRequest, "\(host): \(words)", mayHaveBeenSent: sent)
  default:
    // With a proxy, a refused CONNECT ends as "recv failure" before any attempt.
    return TransportError(sent ? .broken : .connect, "\(host): \(words)", mayHaveBeenSent: sent)
  }
}
