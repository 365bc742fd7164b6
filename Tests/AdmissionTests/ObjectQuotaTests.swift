import JSON
import Testing

@testable import Admission

@Suite struct ObjectQuotaTests {
  @Test(arguments: [("5", 5), ("2k", 2000), ("1Ki", 1024), ("1e3", 1000), ("0", 0)])
  func wholeQuantities(_ text: String, _ count: Int) { #expect(ObjectQuota.whole(text) == count) }

  @Test(arguments: ["1.5", "500m", "", "x", "1e99", "9223372036854775807Ki"])
  func otherQuantities(_ text: String) { #expect(ObjectQuota.whole(text) == nil) }
}
