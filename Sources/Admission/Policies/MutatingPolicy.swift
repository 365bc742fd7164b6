import CEL
import JSON
import KubeWire
import OrderedCollections
import Translation

/// A MutatingAdmissionPolicy, compiled.
struct MutatingPolicy: Sendable {
  enum Mutation: Sendable {
    case jsonPatch(Expression)
    case applyConfiguration(Expression)
    /// A form that came after this program.
    case unknown(String)
  }

  let head: PolicyHead
  let mutations: [Mutation]
  let isReinvocable: Bool

  init(_ object: JSONValue) {
    var environment = ExpressionEnvironment.make(params: PolicyHead.paramKind(object) != nil, objects: true)
    head = PolicyHead(object, environment: &environment)
    isReinvocable = object["spec"]?["reinvocationPolicy"]?.string == "IfNeeded"
    mutations = (object["spec"]?["mutations"]?.array ?? []).map { [environment] json in
      switch json["patchType"]?.string {
      case "JSONPatch": .jsonPatch(Expression(json["jsonPatch"]?["expression"]?.string ?? "", in: environment))
      case "ApplyConfiguration": .applyConfiguration(Expression(json["applyConfiguration"]?["expression"]?.string ?? "", in: environment))
      case let other: .unknown(other ?? "")
      }
    }
  }

  var compileErrors: [String] {
    head.compileErrors
      + mutations.compactMap {
        switch $0 {
        case .jsonPatch(let expression), .applyConfiguration(let expression): expression.compileError
        case .unknown(let type): "patch type \(GoText.quoted(type)) is unknown"
        }
      }
  }

  /// The object after one mutation. Pure: may be repeated.
  static func mutated(_ object: JSONValue, by mutation: Mutation, _ policy: MutatingPolicy, _ input: CELVariables, schema: Schema)
    -> Result<JSONValue, ExpressionFailure>
  {
    let evaluation = Evaluation(input, variables: policy.head.variables, budget: Evaluation.policyBudget)
    do throws(ExpressionFailure) {
      switch mutation {
      case .unknown(let type):
        throw ExpressionFailure(message: "patch type \(GoText.quoted(type)) is not evaluated by this server")
      case .jsonPatch(let expression): return .success(try patched(object, by: try json(try evaluation.evaluate(expression))))
      case .applyConfiguration(let expression):
        let patch = try json(try evaluation.evaluate(expression))
        guard patch.object != nil else {
          throw ExpressionFailure(message: "unsupported return type from ApplyConfiguration expression: \(patch.typeName)")
        }
        do throws(ApplyMerge.Failure) { return .success(try ApplyMerge.merge(patch, into: object, as: schema)) } catch {
          throw ExpressionFailure(message: error.message)
        }
      }
    } catch {
      return .failure(error)
    }
  }

  private static func json(_ value: CELValue) throws(ExpressionFailure) -> JSONValue {
    do throws(CELError) { return try value.json() } catch { throw ExpressionFailure(message: error.message) }
  }

  /// A patch whose test fails changes nothing.
  private static func patched(_ object: JSONValue, by json: JSONValue) throws(ExpressionFailure) -> JSONValue {
    do throws(JSONPatch.Failure) { return try JSONPatch(json: json).apply(to: object) } catch {
      if error.message.hasSuffix("test failed") { return object }
      throw ExpressionFailure(message: "JSON Patch: \(error.message)")
    }
  }
}
