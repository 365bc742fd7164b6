internal import JSON

/// What a request gets.
enum Answer {
  case full(FullAnswer)
  /// Lines of a job's log, as they come.
  case log(job: String, LogQuery, LogFilter)
}

/// An answer whose body is known.
struct FullAnswer {
  var status: Int
  var headers: [(String, String)] = []
  var contentType = "application/json"
  var body: [UInt8]

  init(status: Int, headers: [(String, String)] = [], contentType: String = "application/json", body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.contentType = contentType
    self.body = body
  }

  /// `{"error":{"code","message","field"}}`
  init(_ error: EngineError, headers: [(String, String)] = []) {
    var json = JSONWriter()
    json.beginObject()
    json.name("error")
    json.beginObject()
    json.member("code", error.code)
    json.member("message", error.message)
    json.member("field", error.field)
    json.endObject()
    json.endObject()
    var headers = headers
    if error.status == 401 { headers.append(("WWW-Authenticate", "Bearer realm=\"workflow-engine\"")) }
    self.init(status: error.status, headers: headers, body: json.bytes)
  }
}
