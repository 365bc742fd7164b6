internal import AdapterKit
internal import CEL
internal import JSON

extension RequestRunner {
  func build(_ template: RequestTemplate, _ variables: CELVariables, page: PageState) throws(AdapterError) -> TransportRequest {
    try evaluating { () throws(ExpressionFailure) in try make(template, variables, page: page) }
  }

  private func make(_ template: RequestTemplate, _ variables: CELVariables, page: PageState) throws(ExpressionFailure) -> TransportRequest {
    var url: String
    if let link = page.link {
      url = try below(link, template)
    } else {
      switch template.path {
      case .url(let value):
        guard let text = try value.text(variables) else { throw value.failure("gives no URL") }
        url = try below(text, template)
      case .segments(let pieces): url = context.url + (try path(pieces, template, variables))
      }
      var query: [String] = []
      for (name, value) in template.query {
        guard let value = try value.evaluate(variables), !value.isNothing else { continue }
        for element in value.isList ? value.elements ?? [] : [value] where !element.isNothing {
          query.append("\(percentEncoded(name))=\(percentEncoded(try spelled(element, template, "query.\(name)")))")
        }
      }
      if !query.isEmpty { url += (url.contains("?") ? "&" : "?") + query.joined(separator: "&") }
    }
    var headers: [(name: String, value: String)] = []
    if template.answer == .json { headers.append(("Accept", "application/json")) }
    var body: [UInt8]?
    switch template.body {
    case .json(let value)?:
      // A body whose expression has no value is null, as its author wrote it.
      body = (try value.json(variables) ?? .null).encoded
      headers.append(("Content-Type", "application/json"))
    case .form(let members)?:
      var pairs: [String] = []
      for (name, value) in members {
        guard let value = try value.evaluate(variables), !value.isNothing else { continue }
        for element in value.isList ? value.elements ?? [] : [value] where !element.isNothing {
          pairs.append("\(percentEncoded(name))=\(percentEncoded(try spelled(element, template, "form.\(name)")))")
        }
      }
      body = Array(pairs.joined(separator: "&").utf8)
      headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    case .text(let value)?:
      body = Array((try value.text(variables) ?? "").utf8)
      headers.append(("Content-Type", "text/plain; charset=utf-8"))
    case nil: break
    }
    for (name, value) in file.headers + template.headers {
      headers.removeAll { $0.name.lowercased() == name.lowercased() }
      if let text = try value.text(variables) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw value.failure("a header must not hold control characters") }
        headers.append((name, text))
      }
    }
    return TransportRequest(
      method: template.method, url: url, headers: headers, body: body, timeout: template.timeout,
      maximumResponseBytes: file.maximumResponseBytes)
  }

  private func path(_ pieces: [ValueTemplate.Piece], _ template: RequestTemplate, _ variables: CELVariables) throws(ExpressionFailure)
    -> String
  {
    var path = ""
    for piece in pieces {
      switch piece {
      case .literal(let text): path += text
      case .program(let program):
        guard let text = try ValueTemplate(form: .program(program), place: template.place).text(variables) else {
          throw ExpressionFailure(place: template.place, message: "a part of the path is empty (${\(program.source)})")
        }
        path += percentEncoded(text)
      }
    }
    // A value that is a dot segment would make the path name something else.
    for segment in path.split(separator: "/") where segment == "." || segment == ".." {
      throw ExpressionFailure(place: template.place, message: "a segment of the path is '\(segment)'")
    }
    return path
  }

  /// Credentials go to the configured backend only, whatever URL an answer names.
  private func below(_ url: String, _ template: RequestTemplate) throws(ExpressionFailure) -> String {
    let base = context.url
    if url.hasPrefix(base),
      url.utf8.count == base.utf8.count || "/?".utf8.contains(url.utf8[url.utf8.index(url.utf8.startIndex, offsetBy: base.utf8.count)])
    {
      return url
    }
    if url.hasPrefix("/"), !url.hasPrefix("//"), let scheme = base.firstRange(of: "://") {
      let slash = base[scheme.upperBound...].firstIndex(of: "/") ?? base.endIndex
      return base[..<slash] + url
    }
    throw ExpressionFailure(place: template.place, message: "the URL \(url.prefix(100)) is not below the backend's URL")
  }

  private func spelled(_ value: CELValue, _ template: RequestTemplate, _ field: String) throws(ExpressionFailure) -> String {
    do throws(CELError) { return try HostFunctions.spelled(value, in: field) } catch {
      throw ExpressionFailure(place: template.place, message: error.message)
    }
  }
}
