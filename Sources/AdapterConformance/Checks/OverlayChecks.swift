import AdapterKit
import JSON

extension Check {
  static let overlays = [
    Check("an overlay is kept, changed and removed", skip: { $0.abilities.overlays == nil ? "keeps no overlays" : nil }) { bench in
      let keeping = try bench.unwrap(bench.abilities.overlays, "none")
      let submission = bench.submission(bench.fixture.slow)
      let (key, uid) = (try await bench.submit(submission).key, submission.uid)
      try bench.require(try await keeping.overlay(of: key, uid: uid, scope: bench.scope) == nil, "a new run has an overlay")
      for overlay: JSONValue in [
        ["labels": ["a": "ü \"x\" 🙂", "b": nil]], ["deletionTimestamp": "2026-01-01T00:00:00Z", "n": [1, 2.5, true]],
      ] {
        try await keeping.setOverlay(overlay, of: key, uid: uid, scope: bench.scope)
        let read = try await keeping.overlay(of: key, uid: uid, scope: bench.scope)
        try bench.require(read == overlay, "read \(read?.text ?? "nil"), written was \(overlay.text)")
        let shown = try await bench.adapter.get(key, scope: bench.scope).overlay
        try bench.require(shown == .unseen || shown == .present(overlay), "get shows another overlay: \(shown)")
        if keeping.overlayComesWithRuns {
          let row = try await bench.sweep().first { $0.key == key }
          try bench.require(row?.overlay == .present(overlay), "the list does not carry the overlay")
        } else {
          try bench.require(try await allOverlays(keeping, bench)[uid] == overlay, "the overlays of the scope do not have it")
        }
      }
      try bench.require(
        try await bench.adapter.get(key, scope: bench.scope).envelope == .present(submission.envelope), "the overlay changed the envelope")
      try await keeping.setOverlay(nil, of: key, uid: uid, scope: bench.scope)
      try bench.require(try await keeping.overlay(of: key, uid: uid, scope: bench.scope) == nil, "a removed overlay is still there")
      try await keeping.setOverlay(nil, of: key, uid: uid, scope: bench.scope)
    },
    Check("an overlay may be as large as promised", skip: { $0.abilities.overlays == nil ? "keeps no overlays" : nil }) { bench in
      let keeping = try bench.unwrap(bench.abilities.overlays, "none")
      let submission = bench.submission(bench.fixture.slow)
      let key = try await bench.submit(submission).key
      // {"x":"…"} is 8 bytes around the text.
      let largest: JSONValue = ["x": .string(String(repeating: "a", count: min(keeping.overlayLimit, 1 << 20) - 8))]
      try await keeping.setOverlay(largest, of: key, uid: submission.uid, scope: bench.scope)
      try bench.require(
        try await keeping.overlay(of: key, uid: submission.uid, scope: bench.scope) == largest,
        "an overlay of \(keeping.overlayLimit) bytes, the stated limit, does not come back whole")
      try await keeping.setOverlay(nil, of: key, uid: submission.uid, scope: bench.scope)
    },
  ]

  private static func allOverlays(_ keeping: any OverlayKeeping, _ bench: Bench) async throws -> [String: JSONValue] {
    var all: [String: JSONValue] = [:]
    var cursor: JSONValue?
    repeat {
      let page = try await keeping.overlays(scope: bench.scope, cursor: cursor)
      all.merge(page.overlays) { _, last in last }
      try bench.require(page.next == nil || page.next != cursor, "a page of overlays names itself as the next one")
      cursor = page.next
    } while cursor != nil
    return all
  }
}
