import Glibc
import TestSupport

/// A CA and a certificate of it, made anew.
struct TestCertificates {
  let caFile: String
  let certificateFile: String
  let keyFile: String

  init(in folder: TemporaryFolder, subject: String = "IP:127.0.0.1") throws {
    let at = folder.path
    caFile = at + "/ca.pem"
    certificateFile = at + "/cert.pem"
    keyFile = at + "/key.pem"
    let newKey = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    try ChildProgram.run("openssl", newKey + ["-x509", "-days", "1", "-subj", "/CN=test CA", "-keyout", at + "/ca.key", "-out", caFile])
    try ChildProgram.run("openssl", newKey + ["-subj", "/CN=test", "-keyout", keyFile, "-out", at + "/cert.csr"])
    try folder.write("subjectAltName=\(subject)\n", to: "ext")
    try ChildProgram.run(
      "openssl",
      [
        "x509", "-req", "-days", "1", "-in", at + "/cert.csr", "-CA", caFile, "-CAkey", at + "/ca.key", "-CAcreateserial", "-extfile",
        at + "/ext",
        "-out", certificateFile,
      ])
  }
}

/// `openssl s_server -www`.
final class TLSServer: Sendable {
  let port: Int
  let caFile: String
  let certificateFile: String
  let keyFile: String
  private let folder: TemporaryFolder
  private let server: ChildProgram

  /// - Parameter protocols: what it offers by ALPN, the best first.
  init(subject: String = "IP:127.0.0.1", wantsClientCertificate: Bool = false, protocols: String? = nil) throws {
    folder = try TemporaryFolder()
    let certificates = try TestCertificates(in: folder, subject: subject)
    (caFile, certificateFile, keyFile) = (certificates.caFile, certificates.certificateFile, certificates.keyFile)
    var arguments = ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificateFile, "-key", keyFile]
    if wantsClientCertificate { arguments += ["-Verify", "1", "-verify_return_error", "-CAfile", caFile] }
    if let protocols { arguments += ["-alpn", protocols] }
    server = try ChildProgram("openssl", arguments)
    var port: Int?
    for _ in 0..<12_000 where port == nil {
      usleep(10_000)
      port = server.output.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") }.flatMap { Int($0.split(separator: ":").last ?? "") }
    }
    guard let port else { throw Sockets.Failure(description: "openssl s_server did not start: \(server.output)") }
    self.port = port
  }

  func stop() {
    server.stop()
    folder.remove()
  }
}
