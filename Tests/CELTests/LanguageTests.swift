import CEL
import JSON
import Testing

/// Rules of the language definition that neither the conformance data here nor the documentation reach.
@Suite struct LanguageTests {
  @Test(
    arguments: [
      // Literals.
      (#"r"\""#, "\\"), (#"r'a\' + 'b'"#, "a\\b"), (#"r'\\'"#, #"\\"#), (#"R"\n" == '\\n'"#, true), (#"r'''a'b\'''' + 'c'"#, nil),
      (#"rb'\x41' == b'\\x41'"#, nil), (#"br'\x41' == b'\\x41'"#, true), (#"b'ÿ' == b'\303\277'"#, true), (#"'\303\277'"#, "Ã¿"),
      (#"size(b'\377')"#, 1), (#"'\377' == 'ÿ' && '\xFF' == '\u00FF' && '\XfF' == '\U000000ff'"#, true), (#"b'\xFF' == b'\377'"#, true),
      (#"'''x''x'''"#, "x''x"), ("'''a\r\nb\rc'''", "a\nb\nc"), (#"'\a\b\f\n\r\t\v\\\?\"\'\`'.size()"#, 12),
      (#"b'''a"b''' + b"'" == b'a"b\''"#, true),
      (".5 + 1e0 + 2.5E+1 + 5e-1", 27.0), ("0xFFu == 255u && -0x10 == -16 && 0XfU == 15u", true), ("1 // comment\n + 1", 2),
      ("-9223372036854775808", .int(.min)), ("18446744073709551615u == uint('18446744073709551615')", true),
      // Operators: precedence and associativity.
      ("2 - 1 - 1 == 0 && 8 / 4 / 2 == 1 && 7 % 4 % 2 == 1", true), ("true ? 1 : true ? 2 : 3", 1), ("false ? 1 : false ? 2 : 3", 3),
      ("!false && !!true", true), ("1 + 2 < 4 == true", true), ("1 in [1] == true", true), ("-{'a': 1}.a", -1), ("-[1, 2][1]", -2),
      // Doubles: infinities, not-a-number, zero.
      ("1.0 / 0.0 == double('Infinity') && -1.0 / 0.0 == double('-inf')", true), ("1.0e300 * 1.0e300 > 1.0e308", true),
      ("0.0 / 0.0 != 0.0 / 0.0", true), ("double('NaN') < 1.0 || double('NaN') >= 1.0", false), ("-0.0 == 0.0", true),
      ("1.0 / -0.0 < 0.0", true),
      ("4.9406564584124654e-324 / 2.0 == 0.0", true), ("1.7976931348623157e308 + 1.0 == 1.7976931348623157e308", true),
      ("double('infinity') - double('infinity') == 0.0", false), ("-1.7976931348623157e308 * 10.0 == double('-Infinity')", true),
      // Conversions.
      ("int(-9223372036854774784.0)", -9_223_372_036_854_774_784), ("int(-1.9)", -1), ("uint(1.9) == 1u", true), ("int('-42')", -42),
      ("double('-1.5e3')", -1500.0), ("double(18446744073709551615u)", 18446744073709551616.0), ("string(b'\\xc3\\xbc')", "ü"),
      ("string(7u)", "7"),
      ("string(-0.5)", "-0.5"), ("string(true)", "true"), ("bytes('é').size()", 2), ("bool('F') || bool('1')", true),
      ("int(timestamp('2009-02-13T23:31:30.9Z'))", 1_234_567_890), ("string(duration('1000000s'))", "1000000s"),
      ("int(dyn('5')) + int(dyn(5u))", 10),
      ("timestamp(timestamp(0)) == timestamp(0) && duration(duration('1s')) == duration('1000ms')", true),
      ("string(timestamp('2009-02-13T23:31:30.120Z'))", "2009-02-13T23:31:30.12Z"), ("string('a') + string(1)", "a1"),
      // Types.
      ("type(1) == int && type(1u) == uint && type(1.0) == double && type('') == string && type(b'') == bytes", true),
      ("type(true) == bool && type(null) == null_type && type([1]) == list && type({}) == map && type(type(1)) == type", true),
      ("type(timestamp(0)) == google.protobuf.Timestamp && type(duration('0')) == google.protobuf.Duration", true),
      ("type(type) == type", true),
      ("type(dyn([1])) == type(['a']) && int != uint", true), ("type(optional.none()) == optional_type", true),
      ("[int, string][0] == type(1)", true),
      // Lists.
      ("[] + [] == [] && [1] + [2] + [] == [1, 2]", true), ("[7, 8, 9][0] + [7, 8, 9][2]", 16), ("[1, 2.0, 3u][dyn(2u)] == 3", true),
      ("dyn(2.0) in [1, 2] && !(3 in [1, 2]) && 2u in [dyn(1), 2.0]", true), ("[dyn(1)] in [[1.0]] && !('a' in [])", true),
      ("[[1, 2], [3]][1][0]", 3),
      ("[1, 'a', null, [true]] == [1u, 'a', null, [true]]", true), ("[1, 2] == [1] || [dyn(1)] != [1.0]", false), ("null in [null]", true),
      ("size([1, 2]) + [1, 2].size() + size({'a': 1}) + {'a': 1}.size() + size('añ') + b'abc'.size()", 11),
      // Maps: keys of four types, numbers as keys by value.
      ("{1: 'i', 2u: 'u', true: 'b', 's': 's'}[true]", "b"), ("{0u: 1}[dyn(0)] + {0: 2}[dyn(0u)] + {0: 3}[dyn(0.0)]", 6),
      ("{'a': 1}['a'] + {'a': {'b': 2}}.a.b", 3), ("{'content-type': 1}.`content-type`", 1), ("{'a.b/c d': {'x': 2}}.`a.b/c d`.x", 2),
      ("has({'a-b': 1}.`a-b`) && !has({'a': 1}.`b-c`)", true), ("{'a-b': 1}.?`a-b`.orValue(0)", 1),
      ("dyn(1.0) in {1: 0} && !(dyn(1.5) in {1: 0})", true),
      ("dyn(18446744073709551615u) in {1: 0}", false), ("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u} && {} == {}", true),
      ("{'a': 1} == {'a': 2} || {'a': 1} == {'b': 1} || {'a': 1} == {'a': 1, 'b': 1}", false),
      ("{'a': null}.a == null && has({'a': null}.a)", true),
      ("{1: 1} == dyn({1u: 1.0})", true),
      // With keys or elements of several types their type is dyn, and any number may be looked for.
      ("{1u: 1.0, 2: 2.0, 3u: 3.0}[3.0] + {1u: 1.0, 2: 2.0}[1] + {1u: 1.0, 2: 2.0}[2u]", 6.0), ("3.0 in {1u: 1.0, 3: 2.0}", true),
      ("{true: 1, 2: 2, 5u: 3, 'a': 4}[5u] + {true: 1, 2: 2}[true]", 4), ("3.1 in {1u: 1.0, 3: 2.0} || 'x' in {1u: 1.0, 3: 2.0}", false),
      ("{'a.b': 1, '0': 2}['a.b'] + {'0': 2}['0']", 3), ("[1, 'a'] + [2.0] == [1.0, 'a', 2]", true),
      ("1u in [dyn(1), 'a'] && !(b'a' in ['a', dyn(1)])", true),
      ("[{'a': 1}, {'b': 2}].exists(m, has(m.b) && m.b == 2)", true), ("{'a': [1, {'b': [2, 3]}]}.a[1].b[1]", 3),
      ("[1, 2, 3] == [1, 2, 3] && [[]] != [[[]]]", true),
      ("{1: {2: {3: 'x'}}}[1][2][3]", "x"), ("{}.size() + [].size() + ''.size() + b''.size()", 0),
      // Equality between types, and order.
      ("dyn(1) == dyn('1') || dyn(null) == dyn(false) || dyn([]) == dyn({})", false),
      ("dyn(1) < dyn(1.5) && dyn(2u) > 1.5 && dyn(-1) < dyn(1u)", true),
      ("dyn(9223372036854775807) < dyn(9223372036854777856.0)", true), ("dyn(18446744073709551615u) > dyn(-1)", true),
      ("'a' < 'b' && 'a' < 'aa' && 'Z' < 'a' && '\\uFFFF' < '\\U00010000'", true),
      ("b'a' < b'b' && b'' < b'\\x00' && b'\\x7f' < b'\\x80'", true),
      ("false < true && true >= true", true), ("timestamp(0) < timestamp(1) && duration('1s') <= duration('1s')", true),
      // Logic: an error on one side that the other decides.
      ("(1 / 0 > 0 && false) || (true || 1 / 0 > 0)", true), ("false && 1 / 0 > 0", false), ("[1, 2].exists(x, x / 0 > 1 || x == 2)", true),
      ("true ? 1 : 1 / 0", 1), ("[0, 2].exists(x, 4 / x == 2)", true), ("[2, 0].all(x, 4 / x > 5)", false),
      // Macros, also over maps and with two variables.
      ("[].all(x, false) && ![].exists(x, true) && ![].exists_one(x, true)", true), ("[1, 1].exists_one(x, x == 1)", false),
      ("{'a': 1, 'b': 2}.exists(k, k == 'b') && {'a': 1}.all(k, k == 'a')", true), ("{'a': 1}.exists_one(k, k == 'a')", true),
      ("{'a': 1, 'b': 2}.filter(k, k > 'a')", ["b"]), ("[1, 2, 3].map(x, x % 2 == 1, x * 10)", [10, 30]),
      ("[[1], [2]].exists(x, 2 in x)", true),
      ("[5, 6].all(i, v, v == i + 5)", true), ("[5, 6].existsOne(i, v, i == 1)", true), ("[5, 6].exists_one(i, v, v > 4)", false),
      ("{'a': 1}.exists(k, v, k == 'a' && v == 1)", true), ("[].transformList(i, v, v)", []),
      ("[1, 2, 3].transformList(i, v, i > 0, v * i)", [2, 6]),
      ("{'a': 1, 'b': 2}.transformList(k, v, k + string(v))", ["a1", "b2"]), ("[1, 2].transformMap(i, v, v * v)", ["0": 1, "1": 4]),
      ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)", ["b": 2]), ("{'a': 'x'}.transformMapEntry(k, v, {v: k})", ["x": "a"]),
      ("['a', 'b'].transformMapEntry(i, v, i == 1, {v: i})", ["b": 1]), ("[1].map(x, [x].map(x, x + 1))", [[2]]),
      ("has({'a': {'b': 0}}.a.b) && !has({'a': {}}.a.b)", true),
      // Times.
      ("timestamp('2009-02-13T23:31:30.123456789-08:30').getMilliseconds()", 123),
      ("timestamp('2009-02-13T23:31:30Z').getDate('02:00')", 14),
      ("timestamp('2009-02-13T23:31:30Z').getDayOfMonth('+11:00')", 13),
      ("timestamp('2009-02-13T23:31:30Z').getDayOfWeek('Asia/Kolkata')", 6),
      ("timestamp('2009-01-01T00:00:00Z').getDayOfYear('-00:01')", 365), ("timestamp('0001-01-01T00:00:00Z').getFullYear()", 1),
      ("timestamp('9999-12-31T23:59:59.999999999Z').getMonth()", 11),
      ("duration('-90s').getMinutes() == -1 && duration('-90s').getSeconds() == -90", true),
      ("duration('-1.5s').getMilliseconds()", -500), ("duration('1h') + timestamp(0) == timestamp(3600)", true),
      ("timestamp(10) - duration('5s')", "1970-01-01T00:00:05Z"),
      ("duration('1h') - duration('61m')", "-60s"), ("timestamp('2000-02-29T00:00:00Z') + duration('8784h')", "2001-03-01T00:00:00Z"),
      ("duration('+1.5h') == duration('90m') && duration('.5s') == duration('500ms')", true), ("duration('3730s').getHours()", 1),
      // Extensions.
      ("math.round(-1.5)", -2.0), ("math.round(2.5)", 3.0), ("math.isNaN(math.ceil(0.0 / 0.0))", true),
      ("math.trunc(1.0 / 0.0) == 1.0 / 0.0", true),
      ("math.bitShiftLeft(1, 64) == 0 && math.bitShiftRight(-1, 64) == 0 && math.bitShiftRight(-1024, 3) == 2305843009213693824", true),
      ("math.bitNot(0u) == 18446744073709551615u && math.bitXor(5u, 1u) == 4u", true),
      ("math.greatest(-1, 2u, 2.5) == 2.5 && math.least('1' == '1' ? [3, 1] : [])", nil),
      ("math.greatest(5) + math.least(3, 2)", 7), ("math.least(dyn('5' == '5' ? 1 : 2), 0.5)", 0.5),
      ("math.sign(-0.5) == -1.0 && math.sign(0u) == 0u", true),
      ("math.isNaN(math.sqrt(-1.0))", true), ("math.sqrt(2u) > 1.41", true),
      ("base64.encode(b'')", ""), ("base64.encode(b'\\x00\\xff\\xfe')", "AP/+"),
      ("base64.decode('aGVsbG8') == b'hello' && base64.decode('aGVsbG8=') == b'hello'", true),
      ("base64.decode(base64.encode(bytes('ü€😀'))) == bytes('ü€😀')", true),
      ("'%s|%s|%s|%s'.format([null, [1, 'a', 2.5], {'b': 1, 'a': [true]}, type(1)])", "null|[1, a, 2.5]|{a: [true], b: 1}|int"),
      ("'%s %s %s'.format([duration('90s'), timestamp(0), b'abc'])", "90s 1970-01-01T00:00:00Z abc"), ("'%%%s%%'.format(['x'])", "%x%"),
      ("'%d %d %.2e %.0f %f'.format([-5, 7u, 1052.032911275, 2.5, 1.0])", "-5 7 1.05e+03 2 1.000000"),
      ("'%b %b %o %x %X'.format([-5, true, 11u, 'abc', b'\\xfe'])", "-101 1 13 616263 FE"),
      ("'%s %s %s'.format([0.0 / 0.0, 1.0 / 0.0, -1.0 / 0.0])", "NaN Infinity -Infinity"), ("''.format([]) + 'x'.format([1])", "x"),
      ("'%.1000f'.format([0.1]).size()", 1002), ("'tacocat'.substring(0, 4) + 'tacocat'.substring(7)", "taco"),
      ("'hello'.lastIndexOf('', 5)", 5),
      ("'abc'.indexOf('') == 0 && ''.indexOf('') == 0 && 'abc'.lastIndexOf('') == 3 && 'abc'.lastIndexOf('c', 1) == -1", true),
      ("'a b c'.split(' ', 1) + 'a b c'.split(' ', 0) + 'a b'.split(' ', -1)", ["a b c", "a", "b"]), ("''.split(',')", [""]),
      ("'aaa'.replace('a', 'b', 0) + 'aaa'.replace('aa', 'b', -1)", "aaaba"), (" ' \\u00a0\\u2003x\\u3000\\u0085'.trim()", "x"),
      ("'ÀB'.lowerAscii()", "Àb"),
      ("strings.quote('\\a\\b\\f\\n\\r\\t\\v\\\\\"é')", #""\a\b\f\n\r\t\v\\\"é""#), ("[].join(',') + ['x'].join(',')", "x"),
      // Optionals.
      ("optional.none() == optional.none() && optional.of(dyn(1)) == optional.of(1.0) && optional.of(1) != optional.none()", true),
      ("{'a': {'b': 1}}.?a.?b.value() + {'a': {}}.?a.?b.orValue(2)", 3), ("[1, 2][?5].or([3][?0]).value()", 3),
      ("{?'a': optional.none(), 'b': 1}", ["b": 1]),
      ("has({'a': {}}.?a.b) || {}.?a.b.hasValue()", false), ("optional.of(null).hasValue()", true),
      ("optional.of(2).optMap(x, x * 2).value()", 4),
      ("optional.none().optMap(x, x * 2).hasValue()", false), ("optional.of([1, 2]).optFlatMap(x, x[?1]).value()", 2),
      ("optional.of({'a': 1}).a.value()", 1),
      ("optional.of([7])[0].value()", 7), ("optional.ofNonZeroValue(0).or(optional.of(1)).value()", 1),
      ("{'a': 1}[?'b'].orValue({'a': 1}[?'a'].value())", 1),
    ] as [(String, JSONValue?)])
  func gives(source: String, expected: JSONValue?) throws {
    guard let expected else {
      #expect(throws: CELError.self, "\(source)") { try LibraryTests.value(source) }
      return
    }
    let value = try LibraryTests.value(source)
    #expect(value == expected, "\(source) is \(value.text)")
  }

  @Test(arguments: [
    // Literals and grammar.
    #"'\400'"#, #"'\08'"#, #"'\xG0'"#, #"'\u12'"#, #"'\ud800'"#, #"'\udc00\ud800'"#, #"'\U00110000'"#, #"b'\u0041'"#, #"'\q'"#, #"r"a"b""#,
    "'''a''", "9223372036854775808", "18446744073709551616u",
    "-9223372036854775809", "0x10000000000000000", "1..5", "a.1", "1e", "''''", "{'a'}", "[1 2]", "f(,)", "as", "while", "package", "a.b.",
    "1 ? 2", "!", "'a' 'b'",
    // Arithmetic.
    "9223372036854775807 + 1", "-9223372036854775807 - 2", "5000000000 * 5000000000", "18446744073709551615u + 1u", "0u - 1u",
    "5000000000u * 5000000000u", "1 % 0", "1u / 0u",
    "1 + 1u", "1 + 1.0", "1.0 % 2.0", "-1u", "-'a'", "!1", "'a' - 'b'", "'a' * 2", "[1] - [1]", "true + true", "-9223372036854775808 / -1",
    "-9223372036854775808 % -1 == 1 || 1 / 0 == 1",
    // Conversions.
    "int(9223372036854775808u)", "int(9223372036854775808.0)", "int(-9223372036854775808.0)", "int(0.0 / 0.0)", "uint(-0.5 - 1.0)",
    "uint(18446744073709551616.0)", "uint(0.0 / 0.0)", "int('')", "int(' 1')", "int('9223372036854775808')",
    "uint('-1')", "uint('1.0')", "double('')", "double(' 1')", "double('1.0.0')", "bool('tRuE')", "bool('')", "string(b'\\xff')",
    "string([1])", "string({})", "int([1])", "int(true)", "bool(1)", "bytes(1)",
    "timestamp('')", "timestamp('2009-02-13')", "timestamp('0000-01-01T00:00:00Z')", "timestamp('10000-01-01T00:00:00Z')",
    "timestamp('2009-13-01T00:00:00Z')", "timestamp('2009-02-13T24:00:00Z')",
    "timestamp('2009-02-13T23:31:30')", "timestamp(253402300800)", "timestamp(-62135596801)", "duration('1')", "duration('s')",
    "duration('1h30')", "duration('1y')", "duration('-')", "duration('1.s2')", "duration('320000000000s')",
    "timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
    "timestamp(0) + timestamp(0)", "duration('1s') - timestamp(0)", "duration('9223372036s') + duration('9223372036s')",
    // Lists, maps, members.
    "[1][-1]", "[1][1]", "[1][dyn('0')]", "[1][dyn(0.1)]", "{}['a']", "{'a': 1}.b", "{1: 1}[dyn(1.5)]", "{'a': 1}[1]", "dyn(1).a",
    "dyn('a').b", "{null: 1}", "{[1]: 1}", "{1: 1, dyn(1.0): 2}", "1 in 1", "{true: 1, true: 2}",
    "{0: 1, dyn(0u): 2}", "{1u: 1.0, 2: 2.0, 3u: 3.0}[3.1]", "{3.3: 15.15, 1.0: 5}[1.0]", "{null: false}[null]", "{'k': 1, 'k': 2}.k",
    "{'a': 1}.0", "[7, 8, 9][3.0]", "[7, 8, 9][dyn(0.1)]",
    "{'a': 1}['b']", "{'a': {}}.a.b", "{'a': 1}.a.b", "[{}][0].a", "null.a", "null[0]", "1[0]", "{}[[]]", "{dyn([]): 1}", "[1, 2][0][0]",
    "{'a': 1}.`b-c`", "{'a': 1}.``", "`a` + 1", "dyn(1) < dyn('a')", "[1] < [2]", "{} < {}",
    "null < null", "size(1)", "type(1) < type(2)", "unknown", "unknown(1)", "1.unknown()",
    // Logic and macros.
    "1 && true", "'a' || 1 / 0 > 1", "1 ? 2 : 3", "dyn(1) && true", "1 / 0 > 0 && true", "1 / 0 > 0 || false", "[1].all(x, 1 / 0 > 0)",
    "[1].exists(x, x)", "1.all(x, true)", "[1].all(x)", "[1].all('x', true)", "[1].all(x.y, true)",
    "[1, 0].exists_one(x, 1 / x == 1)", "has({}.a.b)", "has(1)", "has({'a': 1}['a'])", "[1].map(x, y, z, w)",
    "[1].transformMapEntry(i, v, v)", "{'a': 1, 'b': 2}.transformMapEntry(k, v, {'x': v})", "[1].transformList(v, v)",
    "[1].all(x, x, true)", "cel.bind(1, 2, 3)",
    // Extensions.
    "base64.decode('a')", "base64.decode('***')", "base64.encode('a')", "base64.decode(b'YQ==')", "'%'.format([])", "'%d'.format([1.5])",
    "'%q'.format([1])", "'%s'.format([])", "'%b'.format(['a'])", "'%o'.format([1.0])", "'%x'.format([1.0])", "'%f'.format(['1'])",
    "'%.f'.format([1.0])", "'%.1001f'.format([1.0])", "'%s'.format([optional.none()])", "'%5s'.format(['a'])", "'a'.charAt(-1)",
    "'a'.substring(-1)", "'a'.substring(0, 2)", "'a'.indexOf('a', 2)", "'a'.lastIndexOf('a', -1)", "[1].join()", "'a'.split(1)",
    "math.greatest()", "math.greatest([])", "math.greatest('a')", "math.least(1, 'a')", "math.bitShiftRight(1u, -1)", "math.bitAnd(1, 1u)",
    "math.abs(-9223372036854775808)", "math.ceil(1)", "math.abs('1')", "math.isNaN(1)",
    "optional.none().value()", "{'a': 1}.?b.value()", "optional.of(1).orValue()", "[?1]", "{?'a': 1}", "1.?a", "optional.of(1).a.value()",
    "lists.range('a')", "[1, 2].slice(-1, 1)", "[1].slice(0, 2)", "[1].flatten(-1)",
  ])
  func refuses(source: String) { #expect(throws: CELError.self) { try LibraryTests.value(source) } }

  /// The longest prefix that is declared counts, from the innermost namespace outwards. Parentheses are no node of the tree and alter nothing.
  @Test(arguments: [
    ("a.b.c", "", "a.b.c"), ("a.b.d", "", "a.b's d"), ("a.x", "", "a's x"), ("(a).b.c", "", "a.b.c"), ("b.c", "a", "a.b.c"),
    ("c", "a.b", "a.b.c"), (".a.x", "n", "a's x"),
    ("a.x", "n", "n.a's x"), ("a.x", "n.m.o", "n.a's x"), (".n.a.x", "n.m", "n.a's x"), ("[1].map(a, .a.x)[0]", "", "a's x"),
    ("[{'x': 'local'}].map(a, a.x)[0]", "n", "local"),
  ])
  func names(source: String, container: String, expected: JSONValue) throws {
    let values: [String: JSONValue] = [
      "a": ["x": "a's x", "b": ["c": "a's c"]], "a.b": ["c": "a.b's c", "d": "a.b's d"], "a.b.c": "a.b.c", "n.a": ["x": "n.a's x"],
    ]
    var environment = CELEnvironment()
    environment.container = container
    var variables = CELVariables()
    for (name, value) in values {
      environment.declare(name, .dyn)
      variables[name] = CELValue(value)
    }
    #expect(try CELProgram(source, environment: environment).evaluate(variables).json() == expected)
  }

  /// What an implementation must be able to read at the least.
  @Test func nestsAndRepeats() throws {
    func joined(_ text: String, _ separator: String, _ count: Int = 100) -> String {
      Array(repeating: text, count: count).joined(separator: separator)
    }
    for (source, expected) in [
      (joined("false", " || ") + " || true", true), (joined("true", " && "), true), (joined("1", " + "), 100), (joined("1", " * "), 1),
      (String(repeating: "(", count: 100) + "1" + String(repeating: ")", count: 100), 1), (String(repeating: "-", count: 100) + "1", 1),
      (String(repeating: "[", count: 60) + "5" + String(repeating: "]", count: 60) + String(repeating: "[0]", count: 60), 5),
      (String(repeating: "{'a': ", count: 60) + "5" + String(repeating: "}", count: 60) + String(repeating: ".a", count: 60), 5),
      ("math.greatest(" + joined("1", ", ") + ")", 1), ("size([" + joined("1", ", ") + "])", 100),
      ("size({" + (0..<100).map { "\($0): 1" }.joined(separator: ", ") + "})", 100), (joined("false ? 1", " : ", 60) + " : 2", 2),
      (joined("true", " == "), true),
    ] as [(String, JSONValue)] {
      #expect(try LibraryTests.value(source) == expected, "\(source)")
    }
  }
}
