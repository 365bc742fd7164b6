package import JSON
package import KubeWire

/// What is asked before a write goes to an engine. kube-apiserver runs no admission for aggregated resources, so the gateway does.
///
/// The verbs call `mutate`, then check the object, then `validate`, then write, then `finish`, in this order. When the object has changed
/// before it could be written, all of it is done again on the newer one.
package protocol Admitting: Sendable {
  /// - Returns: the object as the mutating plugins want it, of the right form for its kind; `attributes.object` where nothing changes it.
  /// - Throws: the refusal of a plugin, or 500 for a plugin that could not be asked and whose failurePolicy is Fail.
  func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue?

  func validate(_ attributes: AdmissionAttributes) async throws(StatusError)

  /// The write of a request that was validated has ended, well or badly.
  func finish(_ attributes: AdmissionAttributes)
}

/// No plugin at all: without a cluster.
package struct AdmitAll: Admitting {
  package init() {}
  package func mutate(_ attributes: AdmissionAttributes) async throws(StatusError) -> JSONValue? { attributes.object }
  package func validate(_ attributes: AdmissionAttributes) async throws(StatusError) {}
  package func finish(_ attributes: AdmissionAttributes) {}
}

/// One write, as admission plugins see it (admission.k8s.io/v1 AdmissionRequest).
package struct AdmissionAttributes: Sendable {
  package enum Operation: String, Sendable { case create = "CREATE", update = "UPDATE", delete = "DELETE" }

  package var operation: Operation
  package var resource: Resource
  /// Empty, status, cancel or retry.
  package var subresource: String
  package var namespace: String
  /// Empty for a deletecollection.
  package var name: String
  /// Whole objects, with apiVersion, kind and metadata. The new one is nil for a delete, the old one for a create.
  package var object: JSONValue?
  package var oldObject: JSONValue?
  /// CreateOptions, UpdateOptions or DeleteOptions, by the operation (a PATCH has UpdateOptions, patchToUpdateOptions in kube-apiserver), with kind and apiVersion.
  package var options: JSONValue
  package var dryRun: Bool
  /// User, warnings and audit annotations of the request.
  package var context: RequestContext
  /// Of this one write: ties `validate` and `finish` together.
  package var uid: String

  package init(
    operation: Operation, resource: Resource, subresource: String = "", namespace: String, name: String, object: JSONValue?,
    oldObject: JSONValue?, options: JSONValue, dryRun: Bool, context: RequestContext, uid: String
  ) {
    self.operation = operation
    self.resource = resource
    self.subresource = subresource
    self.namespace = namespace
    self.name = name
    self.object = object
    self.oldObject = oldObject
    self.options = options
    self.dryRun = dryRun
    self.context = context
    self.uid = uid
  }
}
