internal import AdapterKit
internal import JSON

/// The uid of a run that the engine starts again after it left the window. Leaving is a deletion, and no uid comes back from that; but active runs are always
/// shown (design §5, window). So it is another object, with the same name and a uid of its own.
///
/// Whether it had left cannot be asked of an engine once the next try has begun. What can be told at any time is how many windows lie between the making of
/// a run and the beginning of its present try, and two tries between which it left are never in the same one: the number is the generation of its uid. It
/// depends on the engine's data and the window alone, so that a restart gives the same answer. It is asked for
/// runs that are new to the store only (``RunStore/successor(of:_:_:)``).
enum Succession {
  /// - Parameters:
  ///   - uid: of the first object.
  ///   - renewed: when it was seen active again after it had left, where the engine does not tell when the try began.
  static func uid(_ uid: String, of run: KnownRun, window: Duration, renewed: Timestamp? = nil) -> String {
    let number = number(of: run, window: window, renewed: renewed)
    return number == 0 ? uid : EngineNames.uid(succeeding: uid, number: number)
  }

  /// 0 for the first object.
  private static func number(of run: KnownRun, window: Duration, renewed: Timestamp?) -> Int64 {
    guard run.key.kind == .run, window > .zero, let core = run.core else { return 0 }
    guard let created = core.createdAt else { return (renewed?.microseconds ?? 0) / window.inMicroseconds }
    guard let began = [began(run, core), renewed].compactMap({ $0 }).max(), began > created else { return 0 }
    return (began - created).inMicroseconds / window.inMicroseconds
  }

  /// When the present try began; nil for a first one, however long it had to wait.
  private static func began(_ run: KnownRun, _ core: RunCore) -> Timestamp? {
    switch run.attempt {
    case .number(let number): number <= 1 ? nil : core.startedAt
    case .since(let moment): moment
    case .unknown: core.startedAt
    }
  }
}
