import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit
import Testing

@testable import SparkHTTP

@Suite("Limits")
struct LimitsTests {
    private let a = RateLimiter.Client.user(UserID(rawValue: 1))
    private let b = RateLimiter.Client.user(UserID(rawValue: 2))
    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))

    @Test("a bucket lets its quota through, then one at a time as it refills")
    func bucket() {
        let limiter = RateLimiter(policies: [.read: .init(quota: 60)], clock: clock)
        for left in (0..<60).reversed() {
            let verdict = limiter.admit(a, .read)
            #expect(verdict?.retryAfter == nil)
            #expect(verdict?.remaining == left)
        }
        #expect(limiter.admit(a, .read)?.retryAfter == .seconds(1))
        #expect(limiter.admit(b, .read)?.retryAfter == nil)
        clock.advance(by: .seconds(1))
        #expect(limiter.admit(a, .read)?.retryAfter == nil)
        #expect(limiter.admit(a, .read)?.retryAfter != nil)
        #expect(limiter.admit(a, .probe) == nil)
    }

    @Test("answers name the bucket, and say when it is full again, or when an empty one admits the next request")
    func fields() throws {
        let limiter = RateLimiter(policies: [.read: .init(quota: 6), .write: .init(quota: 2)], clock: clock)
        let first = limiter.admit(a, .read)
        #expect(first?.policy.header == "\"read\";q=6;w=60" && first?.header == "\"read\";r=5;t=10")
        for _ in 0..<4 { _ = limiter.admit(a, .read) }
        #expect(limiter.admit(a, .read)?.header == "\"read\";r=0;t=10")
        clock.advance(by: .seconds(4))
        let refused = limiter.admit(a, .read)
        #expect(refused?.header == "\"read\";r=0;t=6")
        #expect(try #require(refused?.retryAfter).roundedUpSeconds == 6)
        let network = limiter.admit(.network(NetworkAddress(ipv4: 1)), .write)
        #expect(network?.policy.header == "\"write-network\";q=2;w=60" && network?.header == "\"write-network\";r=1;t=30")
    }

    @Test("a flood of clients does not grow the table without bound, and limits still hold")
    func flood() {
        let limiter = RateLimiter(policies: [.read: .init(quota: 2)], clock: clock)
        for number in 0..<300_000 as Range<UInt32> { _ = limiter.admit(.network(NetworkAddress(ipv4: number)), .read) }
        var verdicts: [Bool] = []
        for _ in 0..<3 { verdicts.append(limiter.admit(a, .read)?.retryAfter == nil) }
        #expect(verdicts == [true, true, false])
    }

    @Test("a new client in a table full of empty buckets costs no search through the table")
    func fullTable() {
        let limiter = RateLimiter(policies: [.read: .init(quota: 1_000)], clock: clock)
        for number in 0..<200_000 as Range<UInt32> { _ = limiter.admit(.network(NetworkAddress(ipv4: number)), .read) }
        let time = ContinuousClock().measure {
            for number in 1_000_000..<1_050_000 as Range<UInt32> {
                _ = limiter.admit(.network(NetworkAddress(ipv4: number)), .read)
            }
        }
        #expect(time < .seconds(300))
    }

    @Test("only a trusted proxy's entry counts for the client's address, in any spelling")
    func forwarded() {
        let headers: HTTPHeaders = ["x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.2"]
        let proxies: TrustedProxies = ["10.0.0.1", "10.0.0.2"]
        func client(_ peer: String, _ headers: HTTPHeaders) -> String? {
            ClientAddress.of(peer: NetworkAddress(peer), headers: headers, trustedProxies: proxies)?.text
        }
        #expect(client("10.0.0.1", headers) == "203.0.113.9")
        #expect(client("::ffff:10.0.0.1", headers) == "203.0.113.9")
        #expect(client("198.51.100.7", headers) == "198.51.100.7")
        #expect(client("10.0.0.1", [:]) == "10.0.0.1")
        let twice: HTTPHeaders = ["X-Forwarded-For": "6.6.6.6", "x-forwarded-for": "203.0.113.7"]
        #expect(client("10.0.0.1", twice) == "203.0.113.7")
    }

    @Test("a socket's address is read without its text")
    func socketAddresses() throws {
        for (text, canonical) in [
            ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::5", "2001:db8::5"),
        ] {
            #expect(NetworkAddress(try SocketAddress(ipAddress: text, port: 80))?.text == canonical)
        }
        #expect(NetworkAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
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
