import HTTPTypes
import NIOEmbedded
import SparkCore
import Testing

@testable import SparkHTTP

@Suite("What the edge reads and decides")
struct EdgeValuesTests {
    @Test(
        "addresses to listen on may be a port alone, which means this machine",
        arguments: [
            ("7776", "127.0.0.1", 7_776), (":7776", "127.0.0.1", 7_776), ("0", "127.0.0.1", 0), ("127.0.0.1:0", "127.0.0.1", 0),
            ("[::1]:80", "::1", 80), ("[::]:0", "::", 0), ("0.0.0.0:7775", "0.0.0.0", 7_775),
            ("localhost:65535", "localhost", 65_535),
        ])
    func listen(_ text: String, _ host: String, _ port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port)
        #expect(ListenAddress(address.text) == address)
    }

    @Test(
        "an invalid address to listen on is refused",
        arguments: [
            "", ":", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "-1", "+1", "::1:80", "[::1]", "[::1]80",
            "[x]:80", "a b:80", "http://x:80", "[]:80",
        ])
    func noListen(_ text: String) { #expect(ListenAddress(text) == nil) }

    @Test(
        "origins have one canonical form",
        arguments: [
            ("https://App.Example.org", "https://app.example.org"), ("https://a.example:443", "https://a.example"),
            ("http://a.example:80", "http://a.example"), ("http://localhost:3000", "http://localhost:3000"),
            ("https://a.example:80", "https://a.example:80"), ("capacitor://localhost", "capacitor://localhost"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ])
    func origins(_ text: String, _ canonical: String) {
        #expect(AllowedOrigins.canonical(text) == canonical)
        #expect(AllowedOrigins.fault(of: text) == nil)
        #expect(AllowedOrigins([text]).contains(canonical))
    }

    @Test(
        "an invalid origin is refused",
        arguments: [
            "*", "null", "", "a.example", "https://", "https://a.example/", "https://a.example/x", "https://a.example?x",
            "https://*.example",
            "https://a.example:0", "https://a.example:65536", "https://a.example:", "https://a b", "https://bücher.example",
            "//a.example",
            "https://user@a.example", "https://[::1", "https://[::1]x", "1http://a.example",
        ])
    func noOrigin(_ text: String) {
        #expect(AllowedOrigins.canonical(text) == nil)
        #expect(AllowedOrigins.fault(of: text) != nil)
    }

    @Test(
        "gzip is sent only to clients that accept it",
        arguments: [
            ("gzip", true), ("GZIP", true), ("gzip, br", true), ("br;q=1, gzip;q=0.1", true), ("*", true), ("x-gzip", true),
            ("gzip ; q=0.5", true), ("gzip;q=0", false), ("gzip;q=0.000", false), ("*;q=0", false), ("gzip;q=0, *", false),
            ("br", false),
            ("identity", false), ("", false), (nil, false), (",,;", false),
        ] as [(String?, Bool)])
    func gzip(_ field: String?, _ isTaken: Bool) { #expect(ContentCoding.allowsGzip(field) == isTaken) }

    /// An answer of this many bytes after it had the chance to be compressed.
    private func compressed(
        _ count: Int, _ headers: HTTPFields = [:], tag: String? = nil, accept: String? = "gzip"
    ) -> EdgeAnswer {
        let resources = LoopResources(on: EmbeddedEventLoop(), random: SystemRandomSource(), dates: nil)
        var answer = EdgeAnswer(
            status: .ok, headers: headers, requestID: "a", entityTag: tag, body: .whole(.init(repeating: 0x61, count: count)),
            acceptEncoding: accept)
        resources.compress(&answer)
        return answer
    }

    @Test("an answer is compressed on the way only if that is worth it and bounded, and its tag becomes weak")
    func onTheWay() {
        let usual = compressed(5_000, tag: "\"7\"")
        #expect(usual.headers == [.vary: "Accept-Encoding", .contentEncoding: "gzip"] && usual.entityTag == "W/\"7\"")
        #expect(usual.length.map { $0 < 100 } == true)
        let plain = compressed(5_000, tag: "\"7\"", accept: nil)
        #expect(plain.headers == [.vary: "Accept-Encoding"] && plain.entityTag == "\"7\"")
        #expect(plain.length == 5_000)
        #expect(compressed(100).headers == [:])
        #expect(compressed(10_000_000).headers == [:])
        #expect(compressed(5_000, [.contentEncoding: "gzip"]).headers == [.contentEncoding: "gzip"])
        // A constant document that is sent uncompressed stays uncompressed.
        let constant: HTTPFields = [.vary: "Origin, Accept-Encoding"]
        #expect(compressed(5_000, constant).headers == constant)
    }
}
