import CEL
import Glibc
import JSON

/// Maps 2,000 jobs of 1.7 KB by 16 expressions each, from JSON text to JSON text, and prints microseconds of CPU per job.
@main
struct CELBenchmark {
  static let mapping: [(name: String, expression: String)] = [
    ("name", "job.name"), ("id", "job.id"), ("uid", "'run-' + string(job.id)"), ("namespace", "job.project.namespace"),
    ("phase", "job.status == 'success' ? 'Succeeded' : job.status == 'running' ? 'Running' : 'Failed'"), ("queue", "job.resources.queue"),
    ("cpus", "job.resources.cpus * 1000"), ("memory", "job.resources.memory"), ("created", "job.created_at"), ("started", "job.started_at"),
    ("finished", "job.?finished_at.orValue('')"), ("retries", "size(job.attempts) - 1"), ("commit", "job.commit.id"),
    ("author", "job.commit.author.name"), ("main", "job.ref == 'main' && !job.archived"), ("image", "job.steps[0].image"),
  ]

  static func job(_ i: Int) -> JSONValue {
    let status = ["success", "running", "failed"][i % 3]
    var attempts: [JSONValue] = []
    for number in 0...(i % 3) {
      attempts.append(["number": .int(Int64(number)), "node": "node-\(i % 7).cluster.example.com", "exit": .int(Int64(number % 2))])
    }
    var steps: [JSONValue] = []
    for name in ["build", "test", "publish"] {
      let command: JSONValue = ["sh", "-c", "make \(name) TARGET=release-\(i)"]
      steps.append([
        "name": .string(name), "image": "registry.example.com/tools/\(name):1.\(i % 10)", "command": command, "status": .string(status),
      ])
    }
    let project: JSONValue = [
      "id": .int(Int64(i % 40)), "namespace": "team-\(i % 12)", "path": "group/project-\(i % 40)",
      "web_url": "https://ci.example.com/group/project-\(i % 40)",
    ]
    let limits: JSONValue = ["time": 3600, "disk": 10.5]
    let resources: JSONValue = [
      "queue": "default", "cpus": .int(Int64(1 + i % 8)), "memory": "\(1 + i % 16)Gi", "gpu": nil, "limits": limits,
    ]
    let author: JSONValue = ["name": "A. Person \(i % 30)", "email": "person\(i % 30)@example.com"]
    let commit: JSONValue = [
      "id": .string(String(repeating: "0a1b2c3d", count: 5)), "title": "Change number \(i) of the nightly build", "author": author,
    ]
    var job: JSONValue = [
      "id": .int(Int64(100_000 + i)), "name": "pipeline-\(i)-nightly", "status": .string(status),
      "ref": i % 2 == 0 ? "main" : "feature/x-\(i)",
      "archived": false, "created_at": "2026-03-01T12:00:10.000Z", "started_at": "2026-03-01T12:01:10.000Z",
    ]
    if i % 3 != 1 { job["finished_at"] = "2026-03-01T12:09:10.000Z" }
    job["project"] = project
    job["resources"] = resources
    job["commit"] = commit
    job["attempts"] = .array(attempts)
    job["steps"] = .array(steps)
    job["labels"] = ["app": "nightly", "tier": "\(i % 4)", "owner": "team-\(i % 12)"]
    job["note"] = .string(String(repeating: "x", count: max(0, 1700 - job.encoded.count - 10)))
    return job
  }

  static func main() throws {
    let jobs = (0..<2000).map { job($0).encoded }
    var environment = CELEnvironment()
    environment.declare("job", .dyn)
    let programs = try mapping.map { (name: $0.name, program: try CELProgram($0.expression, environment: environment)) }
    let bytes = jobs.reduce(0) { $0 + $1.count }
    print("2,000 jobs of \(bytes / jobs.count) bytes, \(programs.count) fields")

    func measure(_ name: String, _ body: () throws -> Int) rethrows {
      var best = Double.infinity
      var sum = 0
      for _ in 0..<20 {
        let start = clock()
        sum = try body()
        best = min(best, Double(clock() - start) / Double(CLOCKS_PER_SEC) * 1e6 / Double(jobs.count))
      }
      print("\(name): \(String((best * 100).rounded() / 100)) µs a job (checksum \(sum))")
    }

    measure("parse") { jobs.reduce(0) { $0 + (try! JSONDocument($1).root.count) } }
    let documents = try jobs.map { try JSONDocument($0) }
    try measure("evaluate") {
      var sum = 0
      for document in documents {
        let variables = CELVariables(["job": CELValue(document.root)])
        for (_, program) in programs { if case .null = try program.evaluate(variables) {} else { sum += 1 } }
      }
      return sum
    }
    try measure("parse, evaluate, write") {
      var sum = 0
      for text in jobs {
        let document = try JSONDocument(text)
        let variables = CELVariables(["job": CELValue(document.root)])
        var writer = JSONWriter(capacity: 1024)
        writer.beginObject()
        for (name, program) in programs {
          writer.name(name)
          try program.write(variables, to: &writer)
        }
        writer.endObject()
        sum += writer.bytes.count
      }
      return sum
    }

    // How long an expression can run before the default limit ends it.
    for source in [
      "lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000).map(c, a * b * c)))",
      "lists.range(4000000).exists(a, lists.range(1000000).exists(b, string(a + b).matches('^(x+x+)+y$')))",
      "cel.bind(s, lists.range(100000).map(x, 'abcdefghij').join(), lists.range(1000).map(i, s.replace('a', 'bb')).size())",
      "lists.range(3000).map(x, [x]).distinct().size() + lists.range(3000).map(x, [x]).distinct().size()",
    ] {
      let program = try CELProgram(source, environment: environment)
      let start = clock()
      var outcome = "a value"
      do { _ = try program.evaluate(CELVariables()) } catch { outcome = error.kind.rawValue }
      print("\(outcome) after \((Double(clock() - start) / Double(CLOCKS_PER_SEC) * 1000).rounded()) ms: \(source)")
    }
  }
}
