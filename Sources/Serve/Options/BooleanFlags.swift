/// Flags that are true when they stand alone, as Go's are: `--name`, `--name=false`.
///
/// Not the library's `defaultAsFlag`: with it `--name=false` is read as true whenever another flag follows.
enum BooleanFlags {
  static let names: Set<String> = ["--anonymous-auth", "--authentication-skip-lookup", "--authentication-tolerate-lookup-failure"]

  /// The arguments with `=true` written out where it is meant. `--name false` stays as it is.
  static func writtenOut(_ arguments: [String]) -> [String] {
    var result = arguments
    for (index, argument) in arguments.enumerated() where names.contains(argument) {
      let next = index + 1 < arguments.count ? arguments[index + 1] : ""
      if next != "true" && next != "false" { result[index] = argument + "=true" }
    }
    return result
  }
}
