import HTTPTypes
import SparkCore
import SparkKit
import Testing

@testable import SparkTransport

@Suite("Limits")
struct LimitsTests {
    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))

    @Test("a bucket lets its quota through, then one at a time as it refills")
    func bucket() {
        let limiter = RateLimiter(policies: [.read: .init(quota: 60)], clock: clock)
        for left in (0..<60).reversed() {
            let verdict = limiter.admit("a", .read)
            #expect(verdict?.retryAfter == nil)
            #expect(verdict?.remaining == left)
        }
        #expect(limiter.admit("a", .read)?.retryAfter == .seconds(1))
        #expect(limiter.admit("b", .read)?.retryAfter == nil)
        clock.advance(by: .seconds(1))
        #expect(limiter.admit("a", .read)?.retryAfter == nil)
        #expect(limiter.admit("a", .read)?.retryAfter != nil)
        #expect(limiter.admit("a", .probe) == nil)
    }

    @Test("a flood of clients does not grow the table without bound, and limits still hold")
    func flood() {
        let limiter = RateLimiter(policies: [.read: .init(quota: 2)], clock: clock)
        for number in 0..<300_000 { _ = limiter.admit("client\(number)", .read) }
        var verdicts: [Bool] = []
        for _ in 0..<3 { verdicts.append(limiter.admit("last", .read)?.retryAfter == nil) }
        #expect(verdicts == [true, true, false])
    }

    @Test("only a trusted proxy's word counts for the client's address")
    func forwarded() throws {
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        var headers = HTTPFields()
        headers[name] = "6.6.6.6, 203.0.113.9, 10.0.0.2"
        let proxies: Set<String> = ["10.0.0.1", "10.0.0.2"]
        #expect(ClientAddress.of(peer: "10.0.0.1", headers: headers, trustedProxies: proxies) == "203.0.113.9")
        #expect(ClientAddress.of(peer: "198.51.100.7", headers: headers, trustedProxies: proxies) == "198.51.100.7")
        #expect(ClientAddress.of(peer: "10.0.0.1", headers: [:], trustedProxies: proxies) == "10.0.0.1")
    }

    @Test(
        "an IPv6 client is counted by its /64",
        arguments: [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
            ("192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80:0:0:0::/64"),
        ])
    func prefix(_ address: String, _ key: String) {
        #expect(ClientAddress.limitKey(address) == key)
    }
}
