import Foundation
import TestSupport
import Testing

@testable import JSON

@Suite struct Base64Tests {
  /// The examples of RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func writesAndReads(_ text: String, _ encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(text.utf8))
    let bare = encoded.replacingOccurrences(of: "=", with: "")
    #expect(Base64.encode(Array(text.utf8), .url) == bare)
    #expect(Base64.decode(bare) == Array(text.utf8) && Base64.decode(bare, .url) == Array(text.utf8))
  }

  @Test func alphabetsDiffer() {
    #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+" && Base64.encode([0xFB, 0xFF, 0xFE], .url) == "-__-")
    #expect(Base64.decode("-__-") == nil && Base64.decode("+//+", .url) == nil)
  }

  @Test(arguments: ["Z", "Zg=", "=", "====", "Zm9v=", "Z===", "Zm 9v", "Zm9v\n", "Zg==Zg==", "Zé=="])
  func refuses(_ text: String) { #expect(Base64.decode(text) == nil) }

  @Test func refusesPaddingInURLs() { #expect(Base64.decode("Zg==", .url) == nil) }

  @Test func readsWhatFoundationWrites() {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<2000 {
      let bytes = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
      let text = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == text && Base64.decode(text) == bytes && Base64.decode(Base64.encode(bytes, .url), .url) == bytes)
    }
  }
}
