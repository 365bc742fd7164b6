internal import Glibc

/// The process's own state, from /proc, under the names of every Prometheus client.
enum ProcessMetrics {
  static let source = CollectedMetrics([
    .init(MetricDescription("process_cpu_seconds_total", .counter, "User and system CPU time spent, in seconds.")) { one(times?.cpu) },
    .init(MetricDescription("process_open_fds", .gauge, "Open file descriptors.")) { one(openFiles) },
    .init(MetricDescription("process_max_fds", .gauge, "File descriptors that may be open.")) { one(maximumFiles) },
    .init(MetricDescription("process_virtual_memory_bytes", .gauge, "Virtual memory, in bytes.")) { one(times?.virtualMemory) },
    .init(MetricDescription("process_resident_memory_bytes", .gauge, "Resident memory, in bytes.")) { one(times?.residentMemory) },
    .init(MetricDescription("process_start_time_seconds", .gauge, "Start of the process, in seconds since 1970.")) { one(startTime) },
  ])

  private static func one(_ value: Double?) -> [CollectedMetrics.Sample] { value.map { [.init($0)] } ?? [] }

  private struct Times {
    var cpu: Double
    var startTicks: Double
    var virtualMemory: Double
    var residentMemory: Double
  }

  private static var ticks: Double { Double(sysconf(CInt(_SC_CLK_TCK))) }

  private static var times: Times? {
    // The name, in parentheses, can hold spaces and parentheses: what counts follows the last one.
    guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    guard fields.count > 21 else { return nil }
    return Times(
      cpu: (fields[11] + fields[12]) / ticks, startTicks: fields[19], virtualMemory: fields[20],
      residentMemory: fields[21] * Double(sysconf(CInt(_SC_PAGESIZE))))
  }

  private static var startTime: Double? {
    guard let times, let stat = read("/proc/stat"),
      let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }), let boot = Double(line.dropFirst(6))
    else { return nil }
    return boot + times.startTicks / ticks
  }

  private static var openFiles: Double? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // `.`, `..` and the folder itself.
    return Double(count - 3)
  }

  private static var maximumFiles: Double? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return nil }
    return Double(limit.rlim_cur)
  }

  private static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
