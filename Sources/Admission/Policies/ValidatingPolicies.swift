import JSON
import KubeWire
import OrderedCollections
import Translation

/// The ValidatingAdmissionPolicies of the cluster and their bindings.
struct ValidatingPolicies: Sendable {
  let policies: Collection<ValidatingPolicy>
  let bindings: Collection<PolicyBinding>
  let params: ParamSource

  private struct Denial {
    var policy: String
    var binding: String?
    var message: String
    var reason = "Invalid"
  }

  /// Every policy has its say, then the first denial is the refusal: 422 unless the validation names another reason.
  func validate(_ write: Write, authorizer: RequestAuthorizer) async throws(StatusError) {
    var denials: [Denial] = []
    var failures: [JSONValue] = []
    let bindings = Dictionary(grouping: bindings.items, by: \.policy)
    for policy in policies.items {
      // A policy without binding does nothing.
      guard let bound = bindings[policy.head.name] else { continue }
      var annotations: [String: [String]] = [:]
      do throws(StatusError) {
        guard let matcher = policy.head.matcher else {
          throw .internalError("policy contained no match constraints, a required field")
        }
        guard try await matcher.matches(write) else { continue }
      } catch {
        configurationFailed(policy, nil, error.status.message, &denials)
        continue
      }
      for binding in bound {
        let outcomes: [ValidatingPolicy.Outcome]
        do throws(ParamSource.Failure) {
          outcomes = try await evaluate(policy, binding, write, authorizer)
        } catch {
          configurationFailed(policy, binding.name, error.message, &denials)
          continue
        }
        for outcome in outcomes {
          for denial in outcome.denials { act(denial, policy, binding, write, &denials, &failures) }
          for error in outcome.annotationErrors { denials.append(Denial(policy: policy.head.name, binding: binding.name, message: error)) }
          for (key, value) in outcome.annotations where annotations[key]?.contains(value) != true {
            annotations[key, default: []].append(value)
          }
        }
      }
      for (key, values) in annotations { write.note("\(policy.head.name)/\(key)", values.joined(separator: ", ")) }
    }
    if !failures.isEmpty {
      // Fifty are about 10 KiB of audit log.
      write.note("validation.policy.admission.k8s.io/validation_failure", JSONValue.array(Array(failures.prefix(50))).text)
    }
    if let denial = denials.first { throw refusal(denial, write) }
  }

  /// - Throws: why the binding cannot be applied.
  private func evaluate(_ policy: ValidatingPolicy, _ binding: PolicyBinding, _ write: Write, _ authorizer: RequestAuthorizer)
    async throws(ParamSource.Failure) -> [ValidatingPolicy.Outcome]
  {
    let namespace: JSONValue?
    do throws(StatusError) {
      if let matcher = binding.matcher { guard try await matcher.matches(write) else { return [] } }
      namespace = write.attributes.namespace.isEmpty ? JSONValue?.none : try await write.namespaces.required(write.attributes.namespace)
    } catch {
      throw ParamSource.Failure(message: error.status.message)
    }
    let found = try await params.params(kind: policy.head.paramKind, reference: binding.paramRef, namespace: write.attributes.namespace)
    var outcomes: [ValidatingPolicy.Outcome] = []
    for param in found {
      let input = write.input(authorizer: authorizer, namespaceObject: namespace, params: param)
      outcomes.append(await authorizer.settled { policy.evaluate(input) })
    }
    return outcomes
  }

  private func configurationFailed(_ policy: ValidatingPolicy, _ binding: String?, _ message: String, _ denials: inout [Denial]) {
    guard policy.head.failurePolicy == .fail else { return }
    let text = "failed to configure \(binding == nil ? "policy" : "binding"): \(message)"
    denials.append(Denial(policy: policy.head.name, binding: binding, message: text))
  }

  private func act(
    _ denial: ValidatingPolicy.Outcome.Denial, _ policy: ValidatingPolicy, _ binding: PolicyBinding, _ write: Write,
    _ denials: inout [Denial], _ failures: inout [JSONValue]
  ) {
    for action in binding.actions {
      switch action {
      case "Deny":
        denials.append(Denial(policy: policy.head.name, binding: binding.name, message: denial.message, reason: denial.reason))
      case "Warn":
        write.warn(
          "Validation failed for ValidatingAdmissionPolicy '\(policy.head.name)' with binding '\(binding.name)': \(denial.message)")
      case "Audit":
        failures.append([
          "message": .string(denial.message), "policy": .string(policy.head.name), "binding": .string(binding.name),
          "expressionIndex": .int(Int64(denial.index)), "validationActions": .array(binding.actions.map { .string($0) }),
        ])
      default: break
      }
    }
  }

  private func refusal(_ denial: Denial, _ write: Write) -> StatusError {
    let with = denial.binding.map { " with binding '\($0)'" } ?? ""
    let message = "ValidatingAdmissionPolicy '\(denial.policy)'\(with) denied request: \(denial.message)"
    var refusal = write.forbidden(message)
    refusal.status.reason = denial.reason
    refusal.status.code =
      switch denial.reason {
      case "Forbidden": 403
      case "Unauthorized": 401
      case "RequestEntityTooLarge": 413
      default: 422
      }
    refusal.status.details?.causes = [Status.Cause(message: message)]
    return refusal
  }
}
