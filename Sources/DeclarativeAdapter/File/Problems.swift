/// Collects mistakes while a file is read, so that all are told at once.
final class Problems {
  let file: String
  private(set) var list: [AdapterFileProblem] = []

  init(file: String) { self.file = file }

  func add(_ place: Place, _ message: String) {
    list.append(AdapterFileProblem(file: file, line: place.line, column: place.column, field: place.field, message: message))
  }
}

/// The name in `known` that `name` was probably meant to be; nil when none is near.
func nearest(_ name: String, in known: [String]) -> String? {
  func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let cost = x == y ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
        diagonal = row[j + 1]
        row[j + 1] = cost
      }
    }
    return row[b.count]
  }
  let bytes = Array(name.lowercased().utf8)
  return known.map { ($0, distance(bytes, Array($0.lowercased().utf8))) }.filter { $0.1 <= max(bytes.count > 3 ? 2 : 1, bytes.count / 3) }
    .min { $0.1 < $1.1 }?.0
}
