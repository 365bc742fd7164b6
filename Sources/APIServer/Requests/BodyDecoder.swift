internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation
internal import YAMLText

/// Reads request bodies.
struct BodyDecoder {
  let request: APIRequest

  private var version: String { request.services.configuration.group.version }
  private var kind: String { request.kind.kind }

  /// The object of a create, its types checked, what the kind does not have dropped.
  ///
  /// - Throws: 415 for another media type, 400 for what is no JSON, no object of the kind, or, with Strict, has unknown or repeated fields.
  func object(_ validation: FieldValidation) throws(StatusError) -> JSONValue {
    let root = try document(checked: try mediaType(oneOf: Self.objectTypes)).root
    guard root.kind == .object else {
      throw .badRequest("\(kind) in version \(GoText.quoted(version)) cannot be handled as a \(kind): the body is no object")
    }
    try checkKind(root)
    let object = try request.decoded(root, validation) { text, isStrict in unhandled(isStrict ? "strict decoding error: \(text)" : text) }
    return try placed(object)
  }

  /// The options of a delete; nil when the request has no body.
  func deleteOptions() throws(StatusError) -> DeleteOptions {
    guard !request.http.body.isEmpty else { return try DeleteOptions(body: nil, query: request.query) }
    let type = try mediaType(oneOf: Self.objectTypes)
    return try DeleteOptions(body: try document(checked: type).root.value, query: request.query)
  }

  /// A patch of one of the media types. - Throws: 415, also when there is no media type (kubernetes-wire N6, C19).
  func patch() throws(StatusError) -> PatchBody {
    guard let type = mediaType.flatMap(PatchBody.MediaType.init), APIGroup.patchMediaTypes.contains(type.rawValue) else {
      throw .unsupportedMediaType(accepted: APIGroup.patchMediaTypes)
    }
    if type == .apply { return .apply(try applied()) }
    let root: JSONView
    do throws(JSONError) {
      root = try JSONDocument(request.http.body, limits: Self.limits).root
    } catch {
      throw .badRequest("error decoding patch: \(error)")
    }
    return type == .json
      ? .json(root.value, strictErrors: PatchText.strictErrors(json: root))
      : .merge(root.value, strictErrors: PatchText.strictErrors(merge: root))
  }

  /// An applied configuration is YAML, of which JSON is a part. In JSON a member may come twice (kubernetes-wire C4); in YAML that is refused, whatever
  /// fieldValidation says, where Kubernetes does so with Strict only: our parser reads no such text.
  private func applied() throws(StatusError) -> JSONView {
    if let json = try? JSONDocument(request.http.body, limits: Self.limits) { return json.root }
    let json: JSONValue
    do throws(YAMLText.Failure) {
      json = try YAMLText.json(request.http.body, schema: .kubernetes)
    } catch {
      throw .badRequest("error decoding YAML: \(error)")
    }
    guard json.isFinite else { throw .badRequest("error decoding YAML: a number that is too large") }
    do throws(JSONError) { return try JSONDocument(json.encoded).root } catch { throw .badRequest("error decoding YAML: \(error)") }
  }

  /// An infinite number would be written as null.
  private static let limits = JSONLimits(allowsInfinity: false)
  private static let objectTypes = ["application/json", "application/yaml"]

  /// Without its parameters, in lower case; nil when there is none.
  private var mediaType: String? {
    request.http.headers["Content-Type"].map {
      let type = $0.prefix { $0 != ";" }.lowercased()
      return String(type.drop { $0 == " " }.prefix { $0 != " " })
    }
  }

  private func mediaType(oneOf accepted: [String]) throws(StatusError) -> String {
    // A request without a type is JSON: the Python client sends such (kubernetes-wire N6).
    guard let type = mediaType, !type.isEmpty else { return "application/json" }
    guard accepted.contains(type) else { throw .unsupportedMediaType(accepted: accepted) }
    return type
  }

  private func document(checked type: String) throws(StatusError) -> JSONDocument {
    var bytes = request.http.body
    if type == "application/yaml" {
      do throws(YAMLText.Failure) {
        let json = try YAMLText.json(bytes, schema: .kubernetes)
        // Written as JSON it is refused below.
        bytes = json.isFinite ? json.encoded : Array("1e999".utf8)
      } catch {
        throw .badRequest("the object provided is unrecognized (must be of type \(kind)): error converting YAML to JSON: \(error)")
      }
    }
    do throws(JSONError) {
      return try JSONDocument(bytes, limits: Self.limits)
    } catch {
      throw .badRequest(
        "the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind; json parse error: \(error)")
    }
  }

  /// Both may be absent; what is there must be right (kubernetes-wire C8).
  private func checkKind(_ root: JSONView) throws(StatusError) {
    let given = root["kind"]?.string ?? ""
    let apiVersion = root["apiVersion"]?.string ?? ""
    guard (given.isEmpty || given == kind) && (apiVersion.isEmpty || apiVersion == request.services.configuration.group.apiVersion) else {
      let shown = apiVersion.isEmpty ? request.services.configuration.group.apiVersion : apiVersion
      let name = given.isEmpty ? kind : given
      let version = shown.split(separator: "/").last.map(String.init) ?? shown
      throw .badRequest(
        "\(name) in version \(GoText.quoted(version)) cannot be handled as a \(kind): no kind \(GoText.quoted(name)) is registered for version "
          + GoText.quoted(shown))
    }
  }

  /// With the namespace of the path.
  private func placed(_ object: JSONValue) throws(StatusError) -> JSONValue {
    var object = object
    object["apiVersion"] = .string(request.services.configuration.group.apiVersion)
    object["kind"] = .string(kind)
    let namespace = object["metadata"]?["namespace"]?.string ?? ""
    guard namespace.isEmpty || namespace == request.namespace else {
      throw .otherNamespace
    }
    object["metadata"] = object["metadata"] ?? .emptyObject
    if request.kind.isNamespaced { object["metadata"]?["namespace"] = .string(request.namespace) }
    return object
  }

  private func unhandled(_ why: String) -> StatusError {
    .badRequest("\(kind) in version \(GoText.quoted(version)) cannot be handled as a \(kind): \(why)")
  }
}
