import JSON
import KubeWire
import Translation

/// The MutatingAdmissionPolicies of the cluster and their bindings.
struct MutatingPolicies: Sendable {
  let policies: Collection<MutatingPolicy>
  let bindings: Collection<PolicyBinding>
  let params: ParamSource

  private struct Failure: Error {
    var policy: String
    var binding: String?
    var message: String

    var text: String {
      binding.map { "policy '\(policy)' with binding '\($0)' denied request: \(message)" }
        ?? "policy \(GoText.quoted(policy)) denied request: \(message)"
    }
  }

  /// - Parameter write: its object is changed in place.
  /// - Throws: 403 for policies that fail and whose failure policy is Fail.
  func mutate(_ write: inout Write, rounds: inout Reinvocation, authorizer: RequestAuthorizer) async throws(StatusError) {
    // A delete has no body that could be changed.
    guard write.attributes.operation != .delete else { return }
    var failures: [Failure] = []
    rounds.begin(.policies, object: write.attributes.object)
    let bindings = Dictionary(grouping: bindings.items, by: \.policy)
    // What applies is decided before anything is changed.
    var due: [(policy: MutatingPolicy, binding: PolicyBinding, params: [JSONValue?])] = []
    for policy in policies.items {
      for binding in bindings[policy.head.name] ?? [] {
        do throws(Failure) {
          if let params = try await applies(policy, binding, write) { due.append((policy, binding, params)) }
        } catch {
          if policy.head.failurePolicy == .fail { failures.append(error) }
        }
      }
    }
    for (policy, binding, params) in due {
      for param in params {
        do throws(Failure) {
          let failed = try await apply(policy, binding, param, &write, &rounds, authorizer)
          if policy.head.failurePolicy == .fail { failures += failed }
        } catch {
          if policy.head.failurePolicy == .fail { failures.append(error) }
        }
      }
    }
    rounds.end(.policies, object: write.attributes.object)
    guard let first = failures.first else { return }
    var refusal = write.forbidden("")
    refusal.status.message = first.text
    refusal.status.reason = first.message.hasPrefix("failed to configure") ? "Forbidden" : "Invalid"
    refusal.status.details?.causes = failures.map { Status.Cause(message: $0.text) }
    throw refusal
  }

  /// - Returns: the params to apply it with; nil when it does not apply.
  private func applies(_ policy: MutatingPolicy, _ binding: PolicyBinding, _ write: Write) async throws(Failure) -> [JSONValue?]? {
    let name = policy.head.name
    do throws(StatusError) {
      guard let matcher = policy.head.matcher else { throw .internalError("policy contained no match constraints, a required field") }
      guard try await matcher.matches(write) else { return nil }
    } catch {
      throw Failure(policy: name, binding: nil, message: "failed to configure policy: \(error.status.message)")
    }
    do throws(StatusError) {
      if let matcher = binding.matcher { guard try await matcher.matches(write) else { return nil } }
    } catch {
      throw Failure(policy: name, binding: binding.name, message: "failed to configure binding: \(error.status.message)")
    }
    do throws(ParamSource.Failure) {
      return try await params.params(kind: policy.head.paramKind, reference: binding.paramRef, namespace: write.attributes.namespace)
    } catch {
      throw Failure(policy: name, binding: binding.name, message: "failed to configure binding: \(error.message)")
    }
  }

  /// A mutation that fails leaves the object as it is; those behind it have their say all the same.
  ///
  /// - Returns: the mutations that failed. - Throws: for what keeps all of them from being tried.
  private func apply(
    _ policy: MutatingPolicy, _ binding: PolicyBinding, _ param: JSONValue?, _ write: inout Write, _ rounds: inout Reinvocation,
    _ authorizer: RequestAuthorizer
  ) async throws(Failure) -> [Failure] {
    func failure(_ message: String) -> Failure { Failure(policy: policy.head.name, binding: binding.name, message: message) }
    let namespace: JSONValue?
    do throws(StatusError) {
      namespace = write.attributes.namespace.isEmpty ? JSONValue?.none : try await write.namespaces.required(write.attributes.namespace)
    } catch {
      throw failure(error.status.message)
    }
    if !policy.head.conditions.isEmpty {
      let input = write.input(authorizer: authorizer, namespaceObject: namespace, params: param)
      let matched = await authorizer.settled {
        policy.head.conditions.match(Evaluation(input, variables: policy.head.variables, budget: Evaluation.conditionsBudget))
      }
      switch matched {
      case .success(true): break
      case .success(false): return []
      case .failure(let reason): throw failure(reason.message)
      }
    }
    let metadata = param?["metadata"]
    let id = [policy.head.name, binding.name, metadata?["namespace"]?.string ?? "", metadata?["name"]?.string ?? ""].joined(separator: "/")
    guard rounds.shouldCall(id, of: .policies) else { return [] }
    guard let before = write.attributes.object, let kind = write.group.kind(plural: write.attributes.resource.rawValue) else { return [] }
    var failures: [Failure] = []
    for mutation in policy.mutations {
      guard let object = write.attributes.object else { break }
      let input = write.input(authorizer: authorizer, namespaceObject: namespace, params: param)
      let schema = kind.schema
      switch await authorizer.settled({ MutatingPolicy.mutated(object, by: mutation, policy, input, schema: schema) }) {
      case .failure(let reason): failures.append(failure(reason.message))
      case .success(let changed):
        do throws(StatusError) {
          write.attributes.object = try ObjectForm.read(changed, as: write.attributes.resource, in: write.group)
        } catch {
          failures.append(failure(error.status.message))
        }
      }
    }
    if write.attributes.object != before { rounds.changed(by: .policies) }
    if policy.isReinvocable { rounds.called(id, of: .policies) }
    return failures
  }
}
