import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("A proxy in front of the server", .timeLimit(.minutes(20)))
struct ProxyTests {
    /// A port that is free now.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
            }
        }
        guard result == 0 else { throw RawFailure(reason: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Runs a test against nginx with the exported site in front of a server.
    private func withNginx(
        _ settings: [String], _ body: (_ url: String, _ authority: TestAuthority, _ spark: SparkProcess) async throws -> Void
    ) async throws {
        let nginx = try #require(InstalledProgram.nginx)
        let authority = try TestAuthority()
        try await withTemporaryFolder { folder in
            try authority.pair().write(to: folder)
            let arguments = ["--data", "\(folder)/data", "--set", "http.trusted_proxies=127.0.0.1"]
            try await withSpark(arguments + settings) { spark in
                let upstream = String(spark.url.dropFirst("http://".count))
                let exported = try await SparkProcess.run([
                    "export", "nginx", "--domain", "localhost", "--upstream", upstream, "--certificate",
                    "\(folder)/certificate.pem", "--key", "\(folder)/key.pem",
                ])
                #expect(exported.status == 0, "\(exported.errors)")
                let (plain, secure) = (try Self.freePort(), try Self.freePort())
                let site = exported.output.replacing("listen [::]:80;", with: "").replacing(
                    "listen [::]:443 ssl http2;", with: ""
                )
                .replacing("listen 80;", with: "listen 127.0.0.1:\(plain);")
                .replacing("listen 443 ", with: "listen 127.0.0.1:\(secure) ")
                #expect(site.contains("listen 127.0.0.1:\(plain);") && site.contains("listen 127.0.0.1:\(secure) ssl"))
                let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                let whole = """
                    \(geteuid() == 0 ? "user root;" : "")
                    pid \(folder)/nginx.pid;
                    error_log \(folder)/errors;
                    events { }
                    http {
                    \(kinds.map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: "\n"))
                    \(site)
                    }
                    """
                let file = "\(folder)/nginx.conf"
                try Data(whole.utf8).write(to: URL(filePath: file))
                let checked = try await InstalledProgram.run(nginx, ["-t", "-c", file, "-e", "\(folder)/errors"])
                #expect(checked.status == 0 && !checked.output.contains("[warn]"), "\(checked.output)")
                let proxy = try ChildProcess(nginx, ["-c", file, "-e", "\(folder)/errors", "-g", "daemon off;"])
                let url = "https://127.0.0.1:\(secure)"
                do {
                    try await authority.withClient(of: url) { client in
                        try await until("nginx listens", every: .milliseconds(20)) {
                            (try? await client.send("GET", "/healthz", body: nil))?.status == 200
                        }
                    }
                    try await body(url, authority, spark)
                } catch {
                    proxy.signal(SIGKILL)
                    _ = await proxy.end()
                    throw error
                }
                proxy.signal(SIGTERM)
                _ = await proxy.end()
            }
        }
    }

    private static let isInstalled = InstalledProgram.nginx != nil

    @Test(
        "nginx with the exported file passes requests, WebSockets and event streams on, as they come",
        .enabled(if: isInstalled, "nginx is not installed"))
    func streams() async throws {
        try await withNginx([]) { url, authority, _ in
            try await authority.withClient(of: url) { client in
                let pair = try await client.matchedPair("anna", "ben")
                let anna = client.authenticated(with: pair.first.token)
                let answer = try await anna.send("GET", "/api/v1/me", body: nil)
                #expect(answer.status == 200 && answer.headers["strict-transport-security"] == "max-age=31536000")
                // Spark's own refusal, not the proxy's.
                let long = try await anna.send("POST", "/api/v1/swipes", body: [UInt8](repeating: 0x20, count: 70_000))
                #expect(long.status == 413 && long.json["code"]?.string == "request.body_too_large")

                let text = try await authority.withHTTP { http in
                    var request = HTTPClientRequest(url: "\(url)/api/v1/stream")
                    request.headers.add(name: "Authorization", value: "Bearer \(pair.second.token)")
                    let response = try await http.execute(request, timeout: .minutes(10))
                    let trust = try authority.trust()
                    let phone = try await StreamClient.connect(to: anna, tls: trust)
                    phone.send(["type": "hello", "v": 1])
                    _ = try await phone.next("live")
                    phone.send([
                        "type": "message.send", "client_id": "m1", "conversation": .string(pair.conversation.wire),
                        "kind": "text",
                        "text": "through the proxy",
                    ])
                    #expect(try await phone.next("ack")["seq"]?.integer == 1)
                    var text = ""
                    for try await chunk in response.body {
                        text += String(buffer: chunk)
                        if text.contains("through the proxy") { break }
                    }
                    phone.close()
                    return text
                }
                #expect(text.contains("through the proxy"))
            }
        }
    }

    @Test(
        "behind nginx each client has its own limits, whatever it says its address is",
        .enabled(if: isInstalled && InstalledProgram.curl != nil, "nginx or curl is not installed"))
    func addresses() async throws {
        let curl = try #require(InstalledProgram.curl)
        try await withNginx(["--set", "http.reads_per_minute=3"]) { url, _, spark in
            func status(from address: String, _ number: Int) async throws -> String {
                try await InstalledProgram.run(
                    curl,
                    [
                        "-sk", "--interface", address, "-H", "X-Forwarded-For: 10.1.1.\(number)", "-o", "/dev/null", "-w",
                        "%{http_code}", "\(url)/openapi.json",
                    ]
                ).output
            }
            var found: [String] = []
            for number in 0..<4 { found.append(try await status(from: "127.0.0.2", number)) }
            #expect(found == ["200", "200", "200", "429"])
            #expect(try await status(from: "127.0.0.3", 9) == "200")
            #expect(!spark.log.contains("not in http.trusted_proxies"))
        }
    }

    @Test("the file for Caddy has what the server needs, and Caddy accepts it where it is installed")
    func caddy() async throws {
        let exported = try await SparkProcess.run([
            "export", "caddy", "--domain", "spark.example.org", "--set", "http.max_body_bytes=131072",
        ])
        #expect(exported.status == 0, "\(exported.errors)")
        let lines = exported.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        for line in [
            "spark.example.org {", "reverse_proxy 127.0.0.1:7775 {", "flush_interval -1", "max_size 144KiB",
            "header Strict-Transport-Security max-age=31536000", "versions 1.1", "keepalive 50s",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(exported.output.filter { $0 == "{" }.count == exported.output.filter { $0 == "}" }.count)
        #expect(lines.contains { $0.contains("trusted_proxies: [127.0.0.1]") })
        guard let caddy = InstalledProgram.caddy else { return }
        try await withTemporaryFolder { folder in
            try Data(exported.output.utf8).write(to: URL(filePath: "\(folder)/Caddyfile"))
            let (status, output) = try await InstalledProgram.run(
                caddy, ["validate", "--adapter", "caddyfile", "--config", "\(folder)/Caddyfile"])
            #expect(status == 0, "\(output)")
        }
    }

    @Test("a file for a proxy takes name and port of server.public_url, and says when it is made for an example")
    func publicURL() async throws {
        for proxy in ["nginx", "caddy"] {
            let example = try await SparkProcess.run(["export", proxy])
            #expect(example.status == 0 && example.errors.contains("for the example spark.example.org"), "\(example.errors)")
            let own = try await SparkProcess.run(["export", proxy, "--set", "server.public_url=https://dating.example:8443"])
            #expect(own.status == 0 && own.errors.isEmpty, "\(own.errors)")
            #expect(own.output.contains(proxy == "nginx" ? "listen 8443 ssl" : "\ndating.example:8443 {"), "\(own.output)")
        }
    }

    @Test("a file for a proxy is refused where the server speaks HTTPS itself, and for names and paths that are none")
    func refused() async throws {
        let authority = try TestAuthority()
        try await withTemporaryFolder { folder in
            try authority.pair().write(to: folder)
            let own = try await SparkProcess.run(["export", "nginx"] + TLSScene.settings(folder))
            #expect(own.status == 78 && own.errors.contains("speaks HTTPS itself"), "\(own.errors)")
        }
        for arguments in [
            ["nginx", "--domain", "a b"], ["nginx", "--certificate", "/a;b"], ["caddy", "--domain", "a{b"],
            ["caddy", "--upstream", "x:0"],
        ] { #expect(try await SparkProcess.run(["export"] + arguments).status == 64, "\(arguments)") }
    }
}
