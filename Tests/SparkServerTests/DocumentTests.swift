import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@Suite("Documents of the API")
struct DocumentTests {
    @Test("equal documents have equal entity tags, different ones different tags")
    func tags() async throws {
        try await withServer(TestServer.start([Root.self])) { one in
            try await withServer(TestServer.start([Root.self])) { same in
                try await withServer(TestServer.start([Root.self, Branch.self])) { more in
                    for path in ["/openapi.json", "/docs"] {
                        let first = try await one.call("GET", path)
                        let tag = try #require(first.headers["etag"])
                        #expect(try await same.call("GET", path).headers["etag"] == tag)
                        let other = try await more.call("GET", path, headers: ["If-None-Match": tag])
                        #expect(other.status == 200 && other.headers["etag"] != tag && other.body != first.body)
                    }
                }
            }
        }
    }

    @Test("a client that accepts gzip gets a form that was compressed once, with its own tag")
    func gzip() async throws {
        try await withServer(TestServer.start([Root.self])) { server in
            let plain = try await server.call("GET", "/openapi.json")
            let zipped = try await server.call("GET", "/openapi.json", headers: ["Accept-Encoding": "br, gzip;q=0.5"])
            #expect(plain.headers["content-encoding"] == nil && zipped.headers["content-encoding"] == "gzip")
            #expect(plain.headers["vary"] == "Accept-Encoding" && zipped.headers["vary"] == "Accept-Encoding")
            let (length, shorter) = (Int(plain.headers["content-length"] ?? ""), Int(zipped.headers["content-length"] ?? ""))
            #expect(try #require(shorter) < #require(length) / 2)
            let tag = try #require(zipped.headers["etag"])
            #expect(tag != plain.headers["etag"])
            let kept = try await server.call("GET", "/openapi.json", headers: ["Accept-Encoding": "gzip", "If-None-Match": tag])
            #expect(kept.status == 304 && kept.headers["etag"] == tag && kept.headers["content-encoding"] == nil)
            let refused = try await server.call("GET", "/openapi.json", headers: ["Accept-Encoding": "gzip;q=0"])
            #expect(refused.headers["content-encoding"] == nil)
        }
    }

    @Test("a browser gets pages without scripts that link to everything, a program gets links")
    func pages() async throws {
        try await withServer(TestServer.start([Root.self])) { server in
            let page = try await server.call("GET", "/", headers: ["Accept": "text/html,application/xhtml+xml,*/*;q=0.8"])
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            for link in ["/docs", "/openapi.json", "/asyncapi.json"] { #expect(page.body.contains("href=\"\(link)\"")) }
            let index = try await server.call("GET", "/", headers: ["Accept": "*/*"])
            #expect(index.json["docs"] == "/docs" && index.json["openapi"] == "/openapi.json")
            #expect(index.headers["vary"]?.contains("Accept") == true)
            let docs = try await server.call("GET", "/docs")
            #expect(docs.body.contains("/api/v1/root/grow") && docs.body.contains("Grows"))
            for answer in [page, docs] {
                #expect(!answer.body.contains("<script") && !answer.body.contains("http://") && !answer.body.contains("https://"))
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"))
            }
        }
    }
}
