import Foundation

/// Runs what takes seconds without a suspension on a thread of its own: the tests share few threads, and those with sockets have time limits.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}
