import Testing

@testable import APIServer

@Suite struct MetricsTextTests {
  @Test(
    "numbers as Go writes them",
    arguments: [
      (0.005, "0.005"), (1, "1"), (1.25, "1.25"), (60, "60"), (1000, "1000"), (100_000, "100000"), (150_000, "150000"), (1e6, "1e+06"),
      (1_050_000, "1.05e+06"), (1e9, "1e+09"), (31_104_000, "3.1104e+07"), (0.0001, "0.0001"), (0.00001, "1e-05"), (0, "0"), (-2.5, "-2.5"),
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (1.5e-7, "1.5e-07"), (131_072, "131072"), (2.5e20, "2.5e+20"), (123_456.75, "123456.75"),
    ])
  func numbers(_ value: Double, _ text: String) { #expect(MetricsText.number(value) == text) }

  @Test("labels are escaped, and read back") func labels() throws {
    var text = MetricsText()
    text.family(MetricDescription("a_total", .counter, labels: ["x"], "One\\two\nthree \"four\"."))
    text.sample(MetricsText.labels(["x"], ["a\"b\\c\nd"]), 3)
    #expect(text.bytes.text == "# HELP a_total One\\\\two\\nthree \"four\".\n# TYPE a_total counter\na_total{x=\"a\\\"b\\\\c\\nd\"} 3\n")
    #expect(try MetricsParser(text.bytes.text).value("a_total", ["x": "a\"b\\c\nd"]) == 3)
  }

  @Test("a value on a bound is within its bucket") func histogram() throws {
    let histogram = Histogram(.seconds([0.005, 0.5, 1]))
    for milliseconds in [0, 5, 6, 500, 1000, 1001, 90_000] { histogram.observe(.milliseconds(milliseconds)) }
    var text = MetricsText()
    text.family(MetricDescription("d_seconds", .histogram, "D."))
    text.histogram("", histogram)
    let parsed = try MetricsParser(text.bytes.text)
    #expect(parsed.value("d_seconds_bucket", ["le": "0.005"]) == 2 && parsed.value("d_seconds_bucket", ["le": "0.5"]) == 4)
    #expect(parsed.value("d_seconds_bucket", ["le": "1"]) == 5 && parsed.value("d_seconds_bucket", ["le": "+Inf"]) == 7)
    #expect(parsed.value("d_seconds_count") == 7 && abs(parsed.value("d_seconds_sum")! - 92.512) < 1e-9)
  }

  @Test("what a histogram must not be is refused by the parser of these tests") func strictness() {
    for text in [
      "a 1\n", "# TYPE a counter\na 1\n", "# HELP a A.\n# TYPE a counter\na 1", "# HELP a A.\n# TYPE a counter\na 1\na 1\n",
      "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n", "# HELP a A.\n# TYPE a counter\na{x=1} 1\n",
      "# HELP a A.\n# TYPE a counter\na{x=\"1\"} one\n", "# HELP a A.\n# TYPE a counter\nb 1\n",
    ] {
      #expect(throws: MetricsParser.Failure.self) { try MetricsParser(text) }
    }
  }

  @Test("unknown label values do not make series without end") func bounded() {
    let counter = LabelledCounter("c_total", labels: ["x"], "C.")
    for number in 0..<5000 { counter.add("v\(number)") }
    var text = MetricsText()
    counter.write(to: &text)
    let samples = text.bytes.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(samples.count == 513 && samples.contains("c_total{x=\"other\"} 4488"))
  }

  @Test("labels are numbers and back") func indices() {
    let targets = MetricTargets(Samples.group, paths: ["/version"])
    for index in 0..<RequestLabels.tableSize(targets) { #expect(RequestLabels(index: index).index == index) }
  }

  @Test("counting from many threads at once loses nothing") func threads() async {
    let requests = RequestMetrics(MetricTargets(Samples.group, paths: []))
    let labels = RequestLabels(verb: .get, scope: .resource, target: 1)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1000 {
            requests.record(labels, .init(code: 200, duration: .milliseconds(1), requestBytes: 0, responseBytes: 10))
          }
        }
      }
    }
    var text = MetricsText()
    requests.write(to: &text)
    let parsed = try? MetricsParser(text.bytes.text)
    #expect(parsed?.value("apiserver_request_total", ["code": "200"]) == 8000)
    #expect(parsed?.value("apiserver_response_sizes_sum") == 80_000)
  }
}
