import CEL
import JSON
import KubeWire
import Translation

extension Write {
  /// The values of the variables that every expression can name.
  ///
  /// - Parameter params: nil where the policy has no paramKind.
  func input(authorizer: RequestAuthorizer, namespaceObject: JSONValue?, params: JSONValue? = nil) -> CELVariables {
    var question = CELAuthorizationRequest()
    question.group = group.name
    question.resource = attributes.resource.rawValue
    question.subresource = attributes.subresource
    question.namespace = attributes.namespace
    question.name = attributes.name
    var input = CELVariables([
      "object": attributes.object.map { CELValue($0) } ?? .null, "oldObject": attributes.oldObject.map { CELValue($0) } ?? .null,
      "request": CELValue(.object(request)), "namespaceObject": namespaceObject.map { CELValue($0) } ?? .null,
      "authorizer": .authorizer(authorizer), "authorizer.requestResource": .resourceCheck(authorizer, question),
    ])
    input["params"] = params.map { CELValue($0) } ?? .null
    return input
  }
}
