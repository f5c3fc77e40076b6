import SparkCore
import Testing

@Suite("Network addresses")
struct NetworkAddressTests {
    @Test(
        "every spelling of an address has one canonical text",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"),
            ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"),
            ("fe80::1%eth0", "fe80::1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(_ text: String, _ canonical: String) {
        #expect(NetworkAddress(text)?.text == canonical)
        #expect(NetworkAddress(canonical) == NetworkAddress(text))
    }

    @Test(
        "invalid addresses are refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "a.b.c.d",
            ":", ":::",
            "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::12345", "::g", "1.2.3.4:80", "[::1]", "::1%",
            "1:", ":1",
            "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::1.2.3", "1.2.3.4::", "::ffff:1.2.3.4.5", "fe80::1%a b", "1.2.3.4%eth0",
            "١.2.3.4",
            String(repeating: "1", count: 100_000), String(repeating: ":", count: 100_000),
            "::1%" + String(repeating: "x", count: 500),
        ])
    func none(_ text: String) { #expect(NetworkAddress(text) == nil) }

    @Test(
        "a forwarded address may have brackets, a port and spaces around it",
        arguments: [
            (" 203.0.113.9 ", "203.0.113.9"), ("203.0.113.9:4711", "203.0.113.9"), ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:DB8::1]", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"), ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
            ("\t::1", "::1"),
        ])
    func forwarded(_ text: String, _ canonical: String) { #expect(NetworkAddress(forwarded: text)?.text == canonical) }

    @Test(
        "a forwarded entry that is not an address is refused",
        arguments: [
            "", "unknown", "_hidden", "203.0.113.9:", "203.0.113.9:x", "[::1", "[::1]x", "::1]", "203.0.113.9:123456",
            "\"[::1]\"",
        ])
    func notForwarded(_ text: String) { #expect(NetworkAddress(forwarded: text) == nil) }

    @Test(
        "a client is counted by its IPv4 address or its /64",
        arguments: [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80:0:0:0::/64"),
        ])
    func network(_ text: String, _ network: String) {
        #expect(NetworkAddress(text)?.networkText == network)
    }

    @Test("addresses of one /64 share a network, IPv4 neighbours do not")
    func sharing() {
        #expect(NetworkAddress("2001:db8::1")?.network == NetworkAddress("2001:DB8:0:0:ffff::")?.network)
        #expect(NetworkAddress("2001:db8::1")?.network != NetworkAddress("2001:db8:0:1::1")?.network)
        #expect(NetworkAddress("192.0.2.1")?.network != NetworkAddress("192.0.2.2")?.network)
    }

    @Test(
        "loopback is recognized in every form",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("0:0:0:0:0:0:0:1", true),
            ("::ffff:7f00:1", true), ("10.0.0.1", false), ("::", false), ("::2", false), ("::ffff:10.0.0.1", false),
        ])
    func loopback(_ text: String, _ isLoopback: Bool) { #expect(NetworkAddress(text)?.isLoopback == isLoopback) }

    @Test(
        "a network contains every address with its prefix, in any spelling",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8:0:1::/64", "2001:db8:0:1:ffff::", true), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("fe80::/10", "fe80::1%eth0", true), ("192.0.2.0/31", "192.0.2.1", true), ("192.0.2.0/31", "192.0.2.2", false),
            ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::1/127", "2001:db8::2", false),
        ])
    func networks(_ network: String, _ address: String, _ isInside: Bool) throws {
        let network = try #require(AddressNetwork(network))
        #expect(network.contains(try #require(NetworkAddress(address))) == isInside)
    }

    @Test(
        "invalid networks are refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "example.org",
            "10.0.0.0/x",
        ])
    func noNetwork(_ text: String) {
        #expect(AddressNetwork(text) == nil)
        #expect(TrustedProxies.fault(of: text) != nil)
    }

    private func client(_ peer: String, _ fields: [String], trusting: [String]) throws -> String {
        TrustedProxies(trusting).client(of: try #require(NetworkAddress(peer)), forwardedFor: fields).text
    }

    @Test("only entries of trusted proxies count, from the right, over several lines")
    func walk() throws {
        let chain = ["6.6.6.6, 203.0.113.9, 10.0.0.2"]
        #expect(try client("10.0.0.1", chain, trusting: ["10.0.0.1", "10.0.0.2"]) == "203.0.113.9")
        #expect(try client("::ffff:10.0.0.1", chain, trusting: ["10.0.0.0/8"]) == "203.0.113.9")
        #expect(try client("198.51.100.7", chain, trusting: ["10.0.0.0/8"]) == "198.51.100.7")
        #expect(try client("10.0.0.1", [], trusting: ["10.0.0.0/8"]) == "10.0.0.1")
        #expect(try client("10.0.0.1", ["6.6.6.6", "203.0.113.9", "10.0.0.2"], trusting: ["10.0.0.0/8"]) == "203.0.113.9")
        #expect(try client("10.0.0.1", ["10.0.0.3, 10.0.0.2"], trusting: ["10.0.0.0/8"]) == "10.0.0.3")
        #expect(try client("fd00::1", ["[2001:DB8::9]:443"], trusting: ["fd00::/8"]) == "2001:db8::9")
        #expect(try client("10.0.0.1", ["::ffff:203.0.113.9"], trusting: ["10.0.0.1"]) == "203.0.113.9")
    }

    @Test(
        "an entry that is not an address ends the walk at the proxy that wrote it",
        arguments: ["unknown", "", "x'\"", "203.0.113.9.9", "0x7f.1"])
    func garbage(_ entry: String) throws {
        #expect(try client("10.0.0.1", ["203.0.113.9, \(entry)"], trusting: ["10.0.0.0/8"]) == "10.0.0.1")
        #expect(try client("10.0.0.1", ["\(entry), 10.0.0.2"], trusting: ["10.0.0.0/8"]) == "10.0.0.2")
    }

    @Test("a chain of a hundred thousand hops is not walked to its end")
    func long() throws {
        let chain = Array(repeating: "10.0.0.2", count: 100_000).joined(separator: ",")
        #expect(try client("10.0.0.1", ["203.0.113.9,\(chain)"], trusting: ["10.0.0.0/8"]) == "10.0.0.2")
    }
}
