package import JSON
internal import OrderedCollections
internal import Yams

/// YAML as Kubernetes takes it: one document whose values are those of JSON.
package enum YAMLText {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// What is wrong and at which line.
    package let description: String
  }
}
