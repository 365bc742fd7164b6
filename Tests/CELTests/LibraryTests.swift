import CEL
import JSON
import TestSupport
import Testing

/// What the conformance data and the documentation do not reach.
@Suite struct LibraryTests {
  static func value(_ source: String) throws -> JSONValue {
    try CELProgram(source, environment: CELEnvironment()).evaluate(CELVariables()).json()
  }

  @Test(
    arguments: [
      // Regular expressions: leftmost, greedy and lazy, classes, flags, anchors, groups.
      (#"'aaa'.find('a+?')"#, "a"), (#"'aaa'.find('a+')"#, "aaa"), (#"'foobar'.find('foo|foobar')"#, "foo"),
      (#"'x=1, y=2'.findAll('[a-z]=\\d')"#, ["x=1", "y=2"]),
      (#"'abc'.findAll('')"#, ["", "", "", ""]), (#"'baaac'.findAll('a*')"#, ["", "aaa", ""]), (#"'ABC'.matches('(?i)^abc$')"#, true),
      (#"'a\nb'.matches('(?m)^b$')"#, true), (#"'a\nb'.matches('^b$')"#, false), (#"'a\nb'.matches('a.b')"#, false),
      (#"'a\nb'.matches('(?s)a.b')"#, true),
      (#"'étude'.matches('^\\pL+$')"#, true), (#"'a.b'.matches(r'^\Qa.b\E$')"#, true), (#"'axb'.matches(r'^\Qa.b\E$')"#, false),
      (#"'word here'.findAll(r'\b\w+\b')"#, ["word", "here"]), (#"'aXbX'.find('[^X]+X{1,2}')"#, "aX"),
      (#"'ab12'.matches('^[[:alpha:]]+[[:digit:]]+$')"#, true),
      (#"'kK'.matches('(?i)^\u212a+$')"#, true), (#"regex.replace('abc', '', '-')"#, "-a-b-c-"),
      (#"regex.replace('aa', '(?P<x>a)', r'<\1>', 1)"#, "<a>a"),
      (#"'a'.matches('a{0}')"#, true), (#"'aaaa'.find('(a{2}){2}')"#, "aaaa"), (#"'-'.matches('[a\\-z]')"#, true),
      (#"']'.matches('[]]')"#, true),
      // Quantities: rounding up, exponents, suffixes.
      ("quantity('1e3').asInteger()", 1000), ("quantity('1Ki').asInteger()", 1024), ("quantity('0.1n').compareTo(quantity('1n'))", 0),
      ("quantity('1.5G').compareTo(quantity('1500M'))", 0), ("quantity('1E').isInteger()", true), ("isQuantity('1.2.3')", false),
      ("isQuantity('')", false), ("quantity('1Ei').compareTo(quantity('1024Pi'))", 0), ("quantity('2E').compareTo(quantity('2e18'))", 0),
      ("quantity('100000000000000000000').compareTo(quantity('9223372036854775807'))", 0),
      ("string(quantity('1').add(quantity('200m')).compareTo(quantity('1.2')))", "0"),
      ("quantity('0.1234567890123456789012345678Ei').compareTo(quantity('0.12345678901234567Ei'))", 1),
      ("quantity('0.1234567890123456789012345678Ei').compareTo(quantity('0.12345678901234569Ei'))", -1),
      ("duration('-9223372036854775808ns') < duration('0')", true),
      // Versions.
      ("semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta'))", -1), ("semver('1.0.0-9').compareTo(semver('1.0.0-10'))", -1),
      ("semver('1.0.0+a') == semver('1.0.0+b')", true), ("isSemver('1.0.0-01')", false), ("isSemver('01.0.0')", false),
      ("isSemver('01.0', true)", true),
      // Addresses.
      ("string(ip('2001:db8:0:0:1:0:0:1'))", "2001:db8::1:0:0:1"), ("string(ip('::'))", "::"), ("isIP('1::2::3')", false),
      ("isIP('::1%eth0')", false),
      ("isIP('01.2.3.4')", false), ("isIP('1:2:3:4:5:6:7:8:9')", false), ("isIP('12345::')", false),
      ("string(cidr('ffff:ffff::/20').masked())", "ffff:f000::/20"),
      // URLs.
      ("url('/path?x').getHost()", ""), ("isURL('../a')", false), ("isURL('https://a b/')", false),
      ("url('https://[::1]:80/').getHostname()", "::1"),
      ("url('https://u:p@h/').getHost()", "h"), ("isURL('mailto:x')", false), ("isURL('https://a/%zz')", false),
      // Formats.
      ("format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()", false),
      ("format.date().validate('2026-02-30').value()", ["invalid date"]),
      ("format.labelValue().validate('').hasValue()", false), ("format.qualifiedName().validate('a.b/c_d').hasValue()", false),
      ("format.dns1035Label().validate('7a').hasValue()", true), ("format.named('none').hasValue()", false),
      // Times: daylight saving before, at and after the change, the rule for years beyond the table, odd offsets.
      ("timestamp('2026-03-29T00:59:59Z').getHours('Europe/Berlin')", 1),
      ("timestamp('2026-03-29T01:00:00Z').getHours('Europe/Berlin')", 3),
      ("timestamp('2100-07-01T12:00:00Z').getHours('Europe/Berlin')", 14),
      ("timestamp('2100-01-01T12:00:00Z').getHours('America/New_York')", 7),
      ("timestamp('1900-01-01T00:00:00Z').getFullYear('-23:59')", 1899), ("timestamp('2024-12-31T00:00:00Z').getDayOfYear()", 365),
      ("timestamp('2026-01-01T00:00:00.000000001+01:00')", "2025-12-31T23:00:00.000000001Z"), ("duration('-1h2m3.004s')", "-3723.004s"),
      ("duration('1us') == duration('1µs')", true), ("string(duration('-1ns'))", "-0.000000001s"),
      // Numbers and keys.
      ("{1: 'a'}[dyn(1u)] + {2u: 'b'}[dyn(2.0)]", "ab"), ("dyn(2) in {2u: 0}", true), ("[1, 2, 3][dyn(1.0)]", 2),
      ("dyn(1) == 1.0 && dyn(1u) == 1", true), ("string(1000000.0)", "1e+06"),
      ("string(123456.0)", "123456"), ("string(0.00001)", "1e-05"), ("-(-5)", 5), ("- 5", -5), ("math.greatest([1, 2.5, 2u])", 2.5),
      ("5 % -3", 2), ("-5 / 3", -1),
      // Code points, not characters: a letter with a combining mark is two, and not the precomposed one.
      ("'\\ud83d\\ude00'", "😀"), ("size('e\\u0301')", 2), ("'e\\u0301' == '\\u00e9'", false), ("'👨‍👩‍👧'.size()", 5),
      ("'aé😀b'.substring(1, 3)", "é😀"),
      ("'aé😀b'.indexOf('b')", 3),
      ("'a'.split('')", ["a"]), ("'aé😀'.split('')", ["a", "é", "😀"]), ("'abc'.replace('', '-')", "-a-b-c-"), ("'é'.matches('^.$')", true),
      // Commutative errors and macros.
      ("[1, 0, 2].exists(x, 2 / x == 1)", true), ("[0, 1].all(x, 1 / x > 1)", false), ("cel.bind(x, 1 / 0, true)", true),
      ("[[1, 2], [3]].map(x, x.map(y, y * 2))", [[2, 4], [6]]), ("[1, 2].map(x, [3, 4].map(y, x * y)).flatten()", [3, 4, 6, 8]),
      ("{'a': 1}.transformMap(k, v, k == 'a', v + 1)", ["a": 2]), ("[3, 1].sortBy(x, -x)", [3, 1]), ("['b', 'a'].sort().join()", "ab"),
    ] as [(String, JSONValue)])
  func gives(source: String, expected: JSONValue) throws {
    let value = try Self.value(source)
    #expect(value == expected, "\(source) is \(value.text)")
  }

  @Test(arguments: [
    "'a'.matches('a**')", "'a'.matches('(a')", "'a'.matches('[b-a]')", #"'a'.matches('\\1')"#, "'a'.matches('(?=a)')",
    "'a'.matches('a{1001}')", "'a'.matches('*')",
    "'a'.matches('((a{100}){100}){100}')", "'a'.matches('[[:nope:]]')", #"'a'.matches('\\p{Nope}')"#, "'x'.charAt(2)",
    "'abc'.substring(2, 1)", "timestamp('2026-02-30T00:00:00Z')",
    "timestamp('2026-01-01 00:00:00Z')", "duration('1d')", "duration('')", "quantity('1e-9223372036854775808')",
    "duration('9223372036854775808ns9223372036854775808ns')",
    "duration('9223372036854775808ns')", "int('1.5')", "uint('-1')", "double('1,5')", "double('0x1')",
    "{'a': 1, 'a': 2}", "{1: 1, 1u: 2}", "{1.5: 1}",
    "[1][1]", "[1][dyn(0.5)]", "optional.none().value()", "-9223372036854775808 / -1", "-(-9223372036854775808)", "uint(-1)", "1u - 2u",
    "int(1e30)", "[1, 'a'].sort()", "[].min()",
    "'%d'.format(['a'])", "'%s'.format([])", "timestamp(0).getHours('Nowhere/City')", "timestamp(0).getHours('../../etc/passwd')",
    "math.bitShiftLeft(1, -1)", "ip('1.2.3')",
    "'\\u{110000}'", "'abc", "\"a\nb\"", "1 +", "a.b", "for", "x: 1", "[1,,2]", "{1}", "1 == ", "0x", "1.5u", "12abc", "b'\\u0041'", "@a",
    "a ? b", "has(a)", "[1].map(1, 2)", "in", "..a",
  ])
  func refuses(source: String) {
    #expect(throws: CELError.self) { try Self.value(source) }
  }

  @Test func regexTimeIsLinear() throws {
    // Exponential for an engine that tries one way after the other.
    var environment = CELEnvironment()
    environment.declare("text", .string)
    let program = try CELProgram("text.matches('^(a*)*(a|aa)+$') || text.matches('(x+x+)+y')", environment: environment)
    let begin = ThreadClock.now
    let value = try program.evaluate(
      CELVariables(["text": .string(String(repeating: "a", count: 5000) + String(repeating: "x", count: 5000))]))
    #expect(value.bool == false && ThreadClock.now - begin < .seconds(10))
  }

  /// Each match is short, and to know that takes a look at the whole rest.
  @Test func manySearchesArePaidFor() async throws {
    let program = try CELProgram("lists.range(20000).map(x, 'a').join().findAll('a.*b|a').size()", environment: CELEnvironment())
    let result = await onOwnThread { Result { () throws(CELError) in try program.evaluate(CELVariables(), costLimit: 1_000_000).int } }
    let error = #expect(throws: CELError.self) { try result.get() }
    #expect(error?.kind == .costExceeded)
    #expect(try Self.value("lists.range(100).map(x, 'a').join().findAll('a.*b|a').size()") == 100)
  }

  final class Authorizer: CELAuthorizer {
    func decide(_ request: CELAuthorizationRequest) throws(CELError) -> CELAuthorizationDecision {
      if request.verb == "explode" { throw CELError("no connection") }
      return CELAuthorizationDecision(
        isAllowed: request.verb == "create" && request.resource == "deployments" && request.namespace == "web"
          || request.path == "/healthz", reason: "rule")
    }
  }

  @Test(arguments: [
    ("authorizer.group('apps').resource('deployments').namespace('web').check('create').allowed()", true),
    ("authorizer.group('apps').resource('deployments').namespace('db').check('create').allowed()", false),
    ("authorizer.path('/healthz').check('get').reason() == 'rule'", true),
    ("authorizer.serviceAccount('a', 'b').path('/x').check('explode').errored()", true),
    ("authorizer.path('/x').check('explode').error() == 'no connection'", true),
    ("authorizer.requestResource.check('create').allowed()", true),
  ])
  func asksTheAuthorizer(source: String, expected: Bool) throws {
    let authorizer = Authorizer()
    var environment = CELEnvironment()
    environment.declare("authorizer", .authorizer)
    environment.declare("authorizer.requestResource", .resourceCheck)
    var request = CELAuthorizationRequest()
    request.resource = "deployments"
    request.namespace = "web"
    let variables = CELVariables(["authorizer": .authorizer(authorizer), "authorizer.requestResource": .resourceCheck(authorizer, request)])
    #expect(try CELProgram(source, environment: environment).evaluate(variables).bool == expected)
  }

  @Test func runsOnManyThreads() async throws {
    var environment = CELEnvironment()
    environment.declare("n", .int)
    let program = try CELProgram(
      "lists.range(n).map(x, cel.bind(y, x * 2, string(y))).join(',').size() + 'a1'.findAll('[0-9]').size()", environment: environment)
    let expected = try program.evaluate(CELVariables(["n": .int(50)])).int
    try await withThrowingTaskGroup(of: Int64?.self) { group in
      for _ in 0..<200 { group.addTask { try program.evaluate(CELVariables(["n": .int(50)])).int } }
      for try await result in group { #expect(result == expected) }
    }
  }

  @Test func errorsSayWhere() throws {
    let error = #expect(throws: CELError.self) { try Self.value("1 +\n  'a'.foo(2) // comment") }
    #expect(error?.line == 2 && error?.column == 7 && error?.kind == .check)
    #expect(error?.snippet == "  'a'.foo(2) // comment\n      ^")
    let late = #expect(throws: CELError.self) { try Self.value("[1, 2].map(x, x / (x - 1))") }
    #expect(late?.column == 17 && late?.kind == .evaluation && late?.message == "division by zero")
    let parse = #expect(throws: CELError.self) { try Self.value("[1, 2") }
    #expect(parse?.message == "expected ',' or ']', found the end of the expression" && parse?.kind == .parse)
  }
}
