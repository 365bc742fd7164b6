extension Library {
  static let network: [CELFunction] = addresses + ranges

  private static let ip = CELType.abstract("net.IP")
  private static let cidr = CELType.abstract("net.CIDR")

  private static func parseIP(_ text: String) throws(CELError) -> IPAddress {
    do throws(IPAddress.Failure) { return try IPAddress.parse(text) } catch {
      switch error {
      case .malformed: throw CELError("IP Address '\(text.prefix(64))' parse error during conversion from string")
      case .zone: throw CELError("IP Address with zone value is not allowed")
      case .mapped: throw CELError("IPv4-mapped IPv6 address is not allowed")
      }
    }
  }

  private static func parseCIDR(_ text: String) throws(CELError) -> CIDRRange {
    do throws(IPAddress.Failure) { return try CIDRRange.parse(text) } catch {
      switch error {
      case .malformed: throw CELError("CIDR '\(text.prefix(64))' parse error during conversion from string")
      case .zone: throw CELError("CIDR with zone value is not allowed")
      case .mapped: throw CELError("IPv4-mapped IPv6 address is not allowed")
      }
    }
  }

  private static func address(_ value: CELValue) throws(CELError) -> IPAddress {
    guard case .opaque(let opaque) = value, let address = opaque as? IPAddress else { throw noOverload("ip", [value]) }
    return address
  }

  private static func range(_ value: CELValue) throws(CELError) -> CIDRRange {
    guard case .opaque(let opaque) = value, let range = opaque as? CIDRRange else { throw noOverload("cidr", [value]) }
    return range
  }

  private static func test(_ name: String, _ body: @escaping @Sendable (IPAddress) -> Bool) -> CELFunction {
    .unary(name, member: true, ip, .bool) { value throws(CELError) in .bool(body(try address(value))) }
  }

  private static let addresses: [CELFunction] = [
    .unary("ip", .string, ip) { value throws(CELError) in .opaque(try parseIP(text(value))) },
    .unary("isIP", .string, .bool) { value throws(CELError) in .bool((try? parseIP(text(value))) != nil) },
    .unary("ip.isCanonical", .string, .bool) { value throws(CELError) in .bool(try parseIP(text(value)).text == text(value)) },
    .unary("string", ip, .string) { value throws(CELError) in .string(try Conversions.string(value)) },
    .unary("family", member: true, ip, .int) { value throws(CELError) in .int(try address(value).bytes.count == 4 ? 4 : 6) },
    test("isUnspecified") { $0.isUnspecified }, test("isLoopback") { $0.isLoopback },
    test("isLinkLocalMulticast") { $0.isLinkLocalMulticast },
    test("isLinkLocalUnicast") { $0.isLinkLocalUnicast }, test("isGlobalUnicast") { $0.isGlobalUnicast },
  ]

  private static let ranges: [CELFunction] = [
    .unary("cidr", .string, cidr) { value throws(CELError) in .opaque(try parseCIDR(text(value))) },
    .unary("isCIDR", .string, .bool) { value throws(CELError) in .bool((try? parseCIDR(text(value))) != nil) },
    .unary("string", cidr, .string) { value throws(CELError) in .string(try Conversions.string(value)) },
    .binary("containsIP", member: true, cidr, ip, .bool) { value, other throws(CELError) in
      .bool(try range(value).contains(try address(other)))
    },
    .binary("containsIP", member: true, cidr, .string, .bool) { value, other throws(CELError) in
      .bool(try range(value).contains(try parseIP(text(other))))
    },
    .binary("containsCIDR", member: true, cidr, cidr, .bool) { value, other throws(CELError) in
      .bool(try range(value).contains(try range(other)))
    },
    .binary("containsCIDR", member: true, cidr, .string, .bool) { value, other throws(CELError) in
      .bool(try range(value).contains(try parseCIDR(text(other))))
    },
    .unary("ip", member: true, cidr, ip) { value throws(CELError) in .opaque(try range(value).address) },
    .unary("masked", member: true, cidr, cidr) { value throws(CELError) in
      let range = try range(value)
      return .opaque(CIDRRange(address: range.address.masked(range.length), length: range.length))
    },
    .unary("prefixLength", member: true, cidr, .int) { value throws(CELError) in .int(Int64(try range(value).length)) },
  ]
}
