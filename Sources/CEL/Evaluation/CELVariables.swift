/// The values of an evaluation's variables. Few, so they are found by looking at each.
public struct CELVariables: Sendable {
  @usableFromInline var names: [String] = []
  @usableFromInline var values: [CELValue] = []

  public init() {}

  public init(_ values: KeyValuePairs<String, CELValue>) {
    for (name, value) in values { self[name] = value }
  }

  public subscript(name: String) -> CELValue? {
    get {
      for i in names.indices where names[i] == name { return values[i] }
      return nil
    }
    set {
      if let index = names.firstIndex(of: name) {
        if let newValue {
          values[index] = newValue
        } else {
          names.remove(at: index)
          values.remove(at: index)
        }
      } else if let newValue {
        names.append(name)
        values.append(newValue)
      }
    }
  }
}
