internal import JSON
package import KubeWire

/// How objects are written in an answer (kubernetes-wire N2).
package enum ResponseForm: Sendable, Hashable {
  /// The objects themselves.
  case plain
  case table(MetaVersion, IncludedObject)
  /// PartialObjectMetadata, or a list of it.
  case partial(MetaVersion)

  package enum MetaVersion: String, Sendable, Hashable {
    case v1, v1beta1

    package var apiVersion: String { "meta.k8s.io/\(rawValue)" }
  }

  /// What a table's rows carry beside their cells (kubernetes-wire T1).
  package enum IncludedObject: String, Sendable, Hashable {
    case none = "None"
    case metadata = "Metadata"
    case object = "Object"

    /// - Throws: 400 for another word.
    package init(query: String) throws(StatusError) {
      guard let value = query.isEmpty ? .metadata : IncludedObject(rawValue: query) else {
        let error = FieldError.invalid("includeObject", .string(query), "must be 'Metadata', 'Object', 'None', or empty")
        throw .badRequest("Unable to convert to Table as requested: \(error)")
      }
      self = value
    }
  }
}

/// The media types that objects are written in.
package enum MediaType: String, Sendable, Hashable {
  case json = "application/json"
  case yaml = "application/yaml"
}

/// One wish of an Accept header, chosen: the form and the media type that it named together (kubernetes-wire N1).
package struct NegotiatedForm: Sendable, Hashable {
  package let form: ResponseForm
  package let mediaType: MediaType
}
