/// How the server listens and what it permits. The defaults are those of a Kubernetes API server where it has any.
package struct HTTPServerConfiguration: Sendable {
  /// A name or address; see `LoopbackAddress` for telling whether it stays on this machine.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 0
  /// Nil serves HTTP/1.1 in the clear.
  package var tls: TLSMaterial?
  /// Event-loop threads; nil takes one for each core.
  package var threads: Int?

  /// A larger body is answered 413 without being read.
  package var maximumBodyBytes = 3 * 1024 * 1024
  /// Of one request's header lines together; above it 431 (HTTP/1.1) or the end of the connection (HTTP/2).
  package var maximumHeaderBytes = 1024 * 1024
  /// Of the headers and bodies, all connections together, of requests that have not come whole yet: nobody knows by then who sends them.
  /// Peers without a certificate that one of our CAs vouches for have half of it, for their requests until these are answered. What would
  /// exceed it is answered 429. The first 4 KiB of each connection are free.
  package var maximumUnfinishedBytes = 64 * 1024 * 1024
  /// The same for one connection.
  package var maximumUnfinishedBytesPerConnection = 16 * 1024 * 1024
  /// Above these no connection is accepted until another ends.
  package var maximumConnections = 10_000
  package var maximumHandshakes = 1_000

  package var handshakeTimeout: Duration = .seconds(10)
  /// From the first byte of a request to the end of its header lines (HTTP/1.1), and for the first request of a connection to come.
  package var headerTimeout: Duration = .seconds(32)
  /// From the end of the header lines to the end of the body.
  package var bodyTimeout: Duration = .seconds(60)
  /// A connection without any request in progress is closed after this. An open watch is a request in progress.
  package var idleTimeout: Duration = .seconds(90)
  /// How long a peer may take nothing of what lies ready for it, before its answer is broken off. An idle watch has nothing ready.
  package var stallTimeout: Duration = .seconds(300)

  package var maximumConcurrentStreams = 1_000
  /// HTTP/2 flow-control windows for what clients send, in bytes.
  package var streamWindow = 256 * 1024
  package var connectionWindow = 1024 * 1024
  /// Streams that a peer may reset on one connection within 30 s. Each watch that a client gives up is one, and a kube-apiserver sends all
  /// its users' watches over few connections, so NIO's 200 is far too low. Above it the connection is ended.
  package var maximumStreamResets = 10_000
  /// Of those, the resets of streams that had no answer yet, if they also are more than half of the connection's streams: a client that
  /// only makes work (CVE-2023-44487) looks like that.
  package var maximumUnansweredResets = 1_000

  /// How often certificate, key and CA files are looked at.
  package var reloadInterval: Duration = .seconds(10)

  package init() {}
}

/// Where the server listens.
package struct BoundAddress: Sendable, Hashable {
  package let address: String
  package let port: Int
}
