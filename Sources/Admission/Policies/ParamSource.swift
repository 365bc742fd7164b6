import JSON
import KubeClient
import KubeWire
import Logging
import Synchronization
import Translation

/// Reads the objects that bindings name as `params`. They are read anew for every write: what was just changed counts.
final class ParamSource: Sendable {
  private struct Mapping: Sendable {
    var path: String
    var resource: String
    var isNamespaced: Bool
    var until: Timestamp
  }

  private let api: any KubeAPI
  private let clock: any TimeSource
  private let logger: Logger
  private let mappings = Mutex<[String: Mapping]>([:])

  init(api: any KubeAPI, clock: any TimeSource, logger: Logger) {
    self.api = api
    self.clock = clock
    self.logger = logger
  }

  /// Why a policy or binding cannot be applied; the policy's failurePolicy decides what follows.
  struct Failure: Error, Sendable { let message: String }

  /// - Returns: a nil element where there is nothing to read; no element where nothing was found and the binding allows that.
  func params(kind: JSONValue?, reference: JSONValue?, namespace: String) async throws(Failure) -> [JSONValue?] {
    guard let kind, kind.object != nil, let reference, reference.object != nil else { return [nil] }
    let mapping = try await mapping(apiVersion: kind["apiVersion"]?.string ?? "", kind: kind["kind"]?.string ?? "")
    let base = try collection(mapping, reference: reference, namespace: namespace)
    let name = reference["name"]?.string ?? ""
    let selector = reference["selector"]
    guard name.isEmpty || selector == nil else { throw Failure(message: "paramRef.name and paramRef.selector are mutually exclusive") }
    guard !name.isEmpty || selector != nil else { throw Failure(message: "one of name or selector must be provided") }
    let found = name.isEmpty ? try await list(base, selector: ObjectSelector(selector)) : try await get(base, name: name)
    if found.isEmpty, reference["parameterNotFoundAction"]?.string == "Deny" {
      throw Failure(message: "no params found for policy binding with `Deny` parameterNotFoundAction")
    }
    return found.map { object in
      var object = object
      // The members of a list do not say what they are.
      object["apiVersion"] = kind["apiVersion"]
      object["kind"] = kind["kind"]
      return object
    }
  }

  private func collection(_ mapping: Mapping, reference: JSONValue, namespace: String) throws(Failure) -> String {
    let given = reference["namespace"]?.string ?? ""
    guard mapping.isNamespaced else {
      guard given.isEmpty else { throw Failure(message: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`") }
      return "\(mapping.path)/\(mapping.resource)"
    }
    let place = given.isEmpty ? namespace : given
    guard !place.isEmpty else {
      throw Failure(message: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    }
    return "\(mapping.path)/namespaces/\(PercentEncoding.encoded(place))/\(mapping.resource)"
  }

  private func get(_ base: String, name: String) async throws(Failure) -> [JSONValue] {
    do throws(KubeError) {
      return [try await api.send(KubeRequest("GET", "\(base)/\(PercentEncoding.encoded(name))")).body]
    } catch {
      if error.isAbsence(of: name) { return [] }
      throw failure("the params could not be read", error, base)
    }
  }

  private func list(_ base: String, selector: ObjectSelector) async throws(Failure) -> [JSONValue] {
    var found: [JSONValue] = []
    var next = ""
    while true {
      var query = [(name: "limit", value: "500")]
      if !selector.text.isEmpty { query.append((name: "labelSelector", value: selector.text)) }
      if !next.isEmpty { query.append((name: "continue", value: next)) }
      let body: JSONValue
      do throws(KubeError) { body = try await api.send(KubeRequest("GET", base, query: query)).body } catch {
        throw failure("the params could not be read", error, base)
      }
      found += body["items"]?.array ?? []
      next = body["metadata"]?["continue"]?.string ?? ""
      if next.isEmpty { return found }
    }
  }

  /// The log has what users need not know.
  private func failure(_ message: String, _ error: KubeError, _ path: String) -> Failure {
    logger.warning("params of a policy could not be read", metadata: ["path": "\(path)", "problem": "\(error)"])
    return Failure(message: "\(message) from the cluster: \(error.advice("GET of them", needs: "the verbs get and list on them"))")
  }

  /// Kind to resource, by the cluster's discovery; remembered for five minutes.
  private func mapping(apiVersion: String, kind: String) async throws(Failure) -> Mapping {
    let key = "\(apiVersion)/\(kind)"
    if let known = mappings.withLock({ $0[key] }), known.until > clock.now { return known }
    let path = apiVersion.contains("/") ? "/apis/\(apiVersion)" : "/api/\(apiVersion)"
    let unknown = Failure(message: "failed to find resource referenced by paramKind: '\(apiVersion), Kind=\(kind)'")
    let resources: [JSONValue]
    do throws(KubeError) { resources = try await api.send(KubeRequest("GET", path)).body["resources"]?.array ?? [] } catch {
      if case .status(let refusal) = error, refusal.code == 404 { throw unknown }
      throw failure(unknown.message, error, path)
    }
    let entry = resources.first { $0["kind"]?.string == kind && $0["name"]?.string?.contains("/") == false }
    guard let entry, let resource = entry["name"]?.string else { throw unknown }
    let mapping = Mapping(
      path: path, resource: resource, isNamespaced: entry["namespaced"]?.bool ?? false, until: clock.now + .seconds(300))
    mappings.withLock { $0[key] = mapping }
    return mapping
  }
}
