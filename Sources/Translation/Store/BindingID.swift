package import AdapterKit

/// The name of a binding in the configuration.
package struct BindingID: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
  package let name: String

  package init(_ name: String) { self.name = name }
  package init(stringLiteral value: String) { name = value }

  package var description: String { name }
  package static func < (a: BindingID, b: BindingID) -> Bool { a.name < b.name }
}

/// Names one run of one binding.
package struct RunRef: Sendable, Hashable, CustomStringConvertible {
  package var binding: BindingID
  package var key: RunKey

  package init(_ binding: BindingID, _ key: RunKey) {
    self.binding = binding
    self.key = key
  }

  package var description: String { "\(binding) \(key)" }
}
