import Glibc

@testable import JSON

/// Memory that ends where reading is forbidden, so that a parser that looks too far ends the test run.
final class GuardedPage {
  private let start: UnsafeMutableRawPointer
  private let size: Int

  /// - Parameter capacity: the longest text, in bytes.
  init(capacity: Int) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    size = (capacity + 1 + page - 1) / page * page
    start = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    precondition(start != MAP_FAILED && mprotect(start + size, page, PROT_NONE) == 0)
  }

  deinit { munmap(start, size + sysconf(Int32(_SC_PAGESIZE))) }

  /// Parses the text with its one zero byte on the last byte that can be read. - Returns: whether it is JSON.
  func accepts(_ text: [UInt8]) -> Bool {
    let at = start + size - text.count - 1
    text.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: at, count: text.count).copyMemory(from: $0) }
    at.storeBytes(of: 0, toByteOffset: text.count, as: UInt8.self)
    var parser = JSONParser(bytes: at.assumingMemoryBound(to: UInt8.self), count: text.count, limits: JSONLimits())
    var nodes: ContiguousArray<JSONDocument.Node> = []
    do {
      try parser.parse(into: &nodes)
      return true
    } catch { return false }
  }
}
