import JSON

/// Who has to look at an object again because somebody after them changed it (`reinvocationPolicy`): there are two rounds at most.
struct Reinvocation {
  enum Plugin: Hashable { case policies, webhooks }

  private struct Calls {
    var called: Set<String> = []
    var again: Set<String> = []
    var output: JSONValue?
  }

  private(set) var isSecond = false
  private(set) var isNeeded = false
  private var calls: [Plugin: Calls] = [:]

  mutating func beginSecond() { isSecond = true }

  /// In the second round, an object that others changed since this plugin last saw it is for everybody to see again.
  mutating func begin(_ plugin: Plugin, object: JSONValue?) {
    if isSecond, calls[plugin]?.output != object { requireAgain(plugin) }
  }

  mutating func end(_ plugin: Plugin, object: JSONValue?) { calls[plugin, default: Calls()].output = object }

  func shouldCall(_ id: String, of plugin: Plugin) -> Bool { !isSecond || calls[plugin]?.again.contains(id) == true }

  mutating func called(_ id: String, of plugin: Plugin) { calls[plugin, default: Calls()].called.insert(id) }

  /// Everybody who was called before, and wants to be, sees the change.
  mutating func changed(by plugin: Plugin) {
    requireAgain(plugin)
    isNeeded = true
  }

  private mutating func requireAgain(_ plugin: Plugin) {
    let called = calls[plugin, default: Calls()].called
    calls[plugin, default: Calls()].again.formUnion(called)
    calls[plugin, default: Calls()].called = []
  }
}
