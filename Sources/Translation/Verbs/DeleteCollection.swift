package import KubeWire

extension Gateway {
  /// DELETE of a collection: what the options select and the binding's `access` allows. Runs that the gateway did not start stay untouched under
  /// `access: Submit`; they are left out of the answer.
  package func deleteCollection(namespace: String, list: ListOptions, options: DeleteOptions, context: RequestContext)
    async throws(StatusError)
    -> ListResult
  {
    for bound in bindings where bound.info.namespace == namespace { try checkAccess(bound, name: "", write: "deletecollection") }
    var result = try await self.list(.workflows, namespace: namespace, options: list, context: context)
    var deleted: [StoredObject] = []
    var spared = 0
    for object in result.items {
      do throws(StatusError) {
        _ = try await delete(namespace: namespace, name: object.draft.name, options: options, context: context)
        deleted.append(object)
      } catch {
        switch error.code {
        case 404: continue
        case 403: spared += 1
        default: throw error
        }
      }
    }
    if spared > 0 {
      context.warn("\(spared) runs were not started by the gateway and stay; deleting them takes access: Manage on the binding")
    }
    result.items = deleted
    return result
  }
}
