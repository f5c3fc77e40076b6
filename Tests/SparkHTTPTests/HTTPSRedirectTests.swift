import SparkCore
import Testing

@testable import SparkHTTP

@Suite("The redirect to HTTPS")
struct HTTPSRedirectTests {
    private func location(_ host: String?, _ target: String = "/a?b=c", publicURL: String = "", port: Int = 443) -> String? {
        HTTPSRedirect(publicURL: publicURL, port: port, webroot: "").location(host: host, target: RequestTarget(target))
    }

    @Test(
        "leads to the host that was asked for, without its port",
        arguments: [
            ("example.org", "https://example.org/a?b=c"), ("example.org:80", "https://example.org/a?b=c"),
            ("EXAMPLE.org:", "https://EXAMPLE.org/a?b=c"), ("127.0.0.1:8080", "https://127.0.0.1/a?b=c"),
            ("[::1]:80", "https://[::1]/a?b=c"), ("my_service", "https://my_service/a?b=c"),
        ])
    func named(host: String, expected: String) { #expect(location(host) == expected) }

    @Test("names the port where it is not the usual one")
    func port() { #expect(location("example.org:80", port: 8_443) == "https://example.org:8443/a?b=c") }

    @Test(
        "leads nowhere where the host is none",
        arguments: [
            nil, "", ":80", "a b", "example.org@evil.org", "example.org/evil", "evil.org#", "evil.org?",
            "example.org:80@evil.org",
            "example.org:x", "exa%6dple.org", "a..b", "-a.org", "[::1", "[::1]x", "[example.org]", "[::1%25eth0]", "1.2.3", "a;b",
            "a'b",
            "\\evil.org", "example.org\\@evil.org", String(repeating: "a", count: 254),
        ])
    func hostile(host: String?) { #expect(location(host) == nil) }

    @Test("leads to the public URL, whatever the client says")
    func publicURL() {
        for host in ["evil.org", "a b", nil] {
            #expect(location(host, publicURL: "https://example.org") == "https://example.org/a?b=c")
            #expect(location(host, publicURL: "https://example.org:8443/spark", port: 1) == "https://example.org:8443/a?b=c")
        }
        // It names the plain port itself.
        #expect(location("other.org", publicURL: "http://example.org") == "https://other.org/a?b=c")
    }

    @Test(
        "keeps to the host, whatever the target is",
        arguments: [
            ("//evil.org/x", "https://example.org//evil.org/x"), ("http://evil.org/x?y", "https://example.org/x?y"),
            ("/\\evil.org", "https://example.org/\\evil.org"), ("http://evil.org", "https://example.org/"),
        ])
    func targets(target: String, expected: String) { #expect(location("example.org", target) == expected) }

    @Test("has nothing to say to a target that is no path", arguments: ["*", "evil.org:443"])
    func noPath(target: String) { #expect(location("example.org", target) == nil) }
}
