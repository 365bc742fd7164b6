internal import JSON

extension Library {
  static let encoders: [CELFunction] = [
    .unary("base64.encode", .bytes, .string, cost: .traverse) { value throws(CELError) in
      guard case .bytes(let bytes) = value else { throw noOverload("base64.encode", [value]) }
      return .string(Base64.encode(bytes))
    },
    .unary("base64.decode", .string, .bytes, cost: .traverse) { value throws(CELError) in
      guard let bytes = Base64.decode(text(value)) else { throw CELError("illegal base64 data") }
      return .bytes(bytes)
    },
  ]
}
