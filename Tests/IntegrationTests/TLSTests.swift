import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@Suite("HTTPS in the binary", .timeLimit(.minutes(20)))
struct TLSTests {
    // MARK: Protocols

    /// What openssl's client says after a handshake with these options.
    private func handshake(_ scene: TLSScene, _ options: [String]) async throws -> (status: Int32, output: String) {
        let openssl = try #require(InstalledProgram.openssl)
        return try await InstalledProgram.run(
            openssl, ["s_client", "-connect", "127.0.0.1:\(scene.port)", "-servername", "localhost"] + options)
    }

    @Test(
        "openssl finds TLS 1.2 and 1.3 with forward secrecy, HTTP/1.1, and nothing older or weaker",
        .enabled(if: InstalledProgram.openssl != nil, "openssl is not installed"))
    func protocols() async throws {
        try await TLSScene.run([], .rsa) { scene in
            // Security level 0 lets openssl offer what it would not by default.
            let weak = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
            for old in ["-tls1", "-tls1_1"] {
                let (status, output) = try await handshake(scene, [old] + weak)
                #expect(status != 0 && output.contains("alert protocol version"), "\(old): \(output)")
            }
            for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
                let (status, output) = try await handshake(scene, [version, "-alpn", "h2,http/1.1", "-brief"])
                #expect(status == 0 && output.contains("Protocol version: \(name)"), "\(output)")
            }
            let chosen = try await handshake(scene, ["-alpn", "h2,http/1.1"])
            #expect(chosen.output.contains("ALPN protocol: http/1.1"), "\(chosen.output)")
            // Each cipher that openssl can offer alone: only those with ephemeral keys and authenticated encryption are taken.
            let openssl = try #require(InstalledProgram.openssl)
            let list = try await InstalledProgram.run(openssl, ["ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
            let ciphers = list.output.split { $0 == ":" || $0.isWhitespace }.map(String.init)
            #expect(ciphers.contains("AES128-SHA") && ciphers.contains("ECDHE-RSA-AES128-SHA"), "weak ones are tried")
            var taken: Set<String> = []
            for cipher in ciphers {
                let (status, _) = try await handshake(scene, ["-tls1_2", "-cipher", "\(cipher):@SECLEVEL=0"])
                if status == 0 { taken.insert(cipher) }
            }
            #expect(
                taken == [
                    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
                ])
        }
    }

    @Test(
        "a session is resumed by its ticket, and renegotiation is refused",
        .enabled(if: InstalledProgram.openssl != nil, "openssl is not installed"))
    func resumption() async throws {
        try await TLSScene.run { scene in
            let first = try await handshake(scene, ["-tls1_2", "-sess_out", "\(scene.folder)/session"])
            #expect(first.output.contains("New, TLSv1.2") && first.output.contains("Secure Renegotiation IS supported"))
            let second = try await handshake(scene, ["-tls1_2", "-sess_in", "\(scene.folder)/session"])
            #expect(second.output.contains("Reused, TLSv1.2"), "\(second.output)")
        }
    }

    // MARK: spark health

    @Test("spark health says why a certificate is not trusted, and that a port speaks HTTPS")
    func health() async throws {
        try await TLSScene.run { scene in
            func health(_ words: [String]) async throws -> SparkProcess.Finished {
                try await SparkProcess.run(["health"] + words)
            }
            let strange = try await health(["--url", scene.spark.url])
            #expect(strange.status == 69 && strange.errors.contains("its certificate is not trusted: no authority"), "\(strange)")
            let roots = "\(scene.folder)/root.pem"
            try Data(scene.authority.root.utf8).write(to: URL(filePath: roots))
            let known = try await health(["--url", scene.spark.url, "--trusted-roots", roots])
            #expect(known.status == 0, "\(known.errors)")
            let plain = try await health(["--url", "http://127.0.0.1:\(scene.port)"])
            #expect(plain.status == 69 && plain.errors.contains("this port speaks HTTPS"), "\(plain.errors)")
            let alias = try await health(["--url", "https://[::ffff:127.0.0.1]:\(scene.port)", "--trusted-roots", roots])
            #expect(alias.status == 69 && alias.errors.contains("it is for localhost, not for"), "\(alias.errors)")
            let missing = try await health(["--url", scene.spark.url, "--trusted-roots", "\(roots).none"])
            #expect(missing.status == 73, "\(missing.errors)")
        }
        try await TLSScene.run(days: -1) { scene in
            let old = try await SparkProcess.run(["health", "--url", scene.spark.url])
            #expect(old.status == 69 && old.errors.contains("it has expired"), "\(old.errors)")
        }
        try await withSpark(["--ephemeral"]) { spark in
            let secure = try await SparkProcess.run(["health", "--url", spark.url.replacing("http://", with: "https://")])
            #expect(secure.status == 69 && secure.errors.contains("does not speak HTTPS"), "\(secure.errors)")
        }
    }

    // MARK: Everything works over it

    @Test("requests, batches, compressed answers, WebSockets and event streams work over TLS")
    func everything() async throws {
        try await TLSScene.run(isEphemeral: true) { scene in
            #expect(scene.spark.url.hasPrefix("https://127.0.0.1:"))
            try await scene.withClient { client in
                let pair = try await client.matchedPair("anna", "ben")
                let (anna, ben) = (client.authenticated(with: pair.first.token), client.authenticated(with: pair.second.token))
                let compressed = try await client.send(
                    "GET", "/openapi.json", body: nil, headers: [("Accept-Encoding", "gzip")])
                #expect(compressed.headers["content-encoding"] == "gzip" && compressed.body.count > 1_000)
                let batch = try await anna.call(
                    "POST", "/api/v1/batch",
                    json: ["requests": [["id": "me", "method": "GET", "path": "/api/v1/me"]]] as JSONValue)
                #expect(batch["responses"]?.array?.first?["status"]?.integer == 200)

                let trust = try scene.authority.trust()
                let phone = try await StreamClient.connect(to: anna, tls: trust)
                let other = try await StreamClient.connect(to: ben, tls: trust)
                for stream in [phone, other] {
                    stream.send(["type": "hello", "v": 1])
                    _ = try await stream.next("live")
                }
                let text = String(repeating: "ä", count: 2_000)
                phone.send([
                    "type": "message.send", "client_id": "m1", "conversation": .string(pair.conversation.wire), "kind": "text",
                    "text": .string(text),
                ])
                #expect(try await phone.next("ack")["seq"]?.integer == 1)
                #expect(try await other.next("message")["text"]?.string == text)
                for stream in [phone, other] { stream.close() }
                // Without the authority there is no connection.
                await #expect(throws: (any Error).self) { try await StreamClient.connect(to: anna) }
            }
        }
    }

    @Test("an event stream delivers over TLS as events come")
    func events() async throws {
        try await TLSScene.run(isEphemeral: true) { scene in
            try await scene.withClient { client in
                let anna = try await client.person("anna")
                let ben = try await client.person("ben")
                let text = try await scene.authority.withHTTP { http in
                    var request = HTTPClientRequest(url: "\(scene.spark.url)/api/v1/stream")
                    request.headers.add(name: "Authorization", value: "Bearer \(anna.token)")
                    let response = try await http.execute(request, timeout: .minutes(10))
                    #expect(response.status == .ok)
                    _ = try await client.match(anna, ben)
                    var text = ""
                    for try await chunk in response.body {
                        text += String(buffer: chunk)
                        if text.contains("\"type\":\"match") { break }
                    }
                    return text
                }
                #expect(text.contains("\"type\":\"match"), "\(text)")
            }
        }
    }

    @Test("Strict-Transport-Security is sent over HTTPS alone, as long as it says, and never by a server that keeps nothing")
    func strict() async throws {
        func field(_ scene: TLSScene, _ path: String) async throws -> String? {
            try await scene.withClient { try await $0.send("GET", path, body: nil).headers["strict-transport-security"] }
        }
        try await TLSScene.run { scene in
            for path in ["/healthz", "/api/v1/me", "/nothing", "/docs"] {
                let value = try await field(scene, path)
                #expect(value == "max-age=31536000", "\(path)")
            }
            // The operators' listener is plain.
            let plain = try await scene.spark.operators.send("GET", "/healthz", body: nil)
            #expect(plain.status == 200 && plain.headers["strict-transport-security"] == nil)
        }
        for (settings, isEphemeral) in [(["--set", "tls.hsts_seconds=0"], false), ([], true)] {
            try await TLSScene.run(settings, isEphemeral: isEphemeral) { scene in
                let value = try await field(scene, "/healthz")
                #expect(value == nil)
            }
        }
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { spark in
                let answer = try await spark.client.send("GET", "/healthz", body: nil)
                #expect(answer.status == 200 && answer.headers["strict-transport-security"] == nil)
            }
        }
    }

    @Test("spark health, top and limits find a server that speaks HTTPS")
    func verbs() async throws {
        try await TLSScene.run { scene in
            let data = "\(scene.folder)/data"
            for arguments in [["health"], ["top", "--once", "--json", "--interval", "1"], ["limits", "--json"]] {
                let verb = try await SparkProcess.run(arguments + ["--data", data])
                #expect(verb.status == 0, "\(arguments): \(verb.errors)")
            }
            // A named address is somebody's: its certificate must be trusted.
            #expect(try await SparkProcess.run(["health", "--url", scene.spark.url]).status == 69)
        }
    }

    // MARK: The certificate

    @Test(
        "a certificate is exchanged under load without a failed request, and a broken one is kept out", .timeLimit(.minutes(20)))
    func exchange() async throws {
        try await TLSScene.run(["--set", "http.reads_per_minute=0", "--set", "tls.handshakes_per_minute=0"]) { scene in
            let before = try #require(try await scene.metric("spark_tls_certificate_not_after_seconds"))
            let second = try scene.authority.pair(days: 60)
            try await scene.withClient { client in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    let isOver = Flag()
                    for number in 0..<8 {
                        group.addTask {
                            var count = 0
                            while !isOver.isSet {
                                // Half of the requests end their connection, so new handshakes go on all the time.
                                let fields = number % 2 == 0 ? [("Connection", "close")] : []
                                let answer = try await client.send("GET", "/healthz", body: nil, headers: fields)
                                guard answer.status == 200 else { throw UnexpectedStatus(status: answer.status) }
                                count += 1
                            }
                            return count
                        }
                    }
                    // The key of another certificate, while requests go on.
                    try Data(second.key.utf8).write(to: URL(filePath: "\(scene.folder)/key.pem"), options: .atomic)
                    try await until("the refusal") { try await scene.metric("spark_tls_certificate_refused") == 1 }
                    #expect(try await scene.metric("spark_tls_reload_failures_total") == 1)
                    #expect(try await scene.metric("spark_tls_certificate_not_after_seconds") == before)
                    try second.write(to: scene.folder)
                    try await until("the exchange") { try await scene.metric("spark_tls_reloads_total") == 1 }
                    #expect(try await scene.metric("spark_tls_certificate_refused") == 0)
                    let after = try #require(try await scene.metric("spark_tls_certificate_not_after_seconds"))
                    #expect(abs(before - after - 30 * 86_400) < 120)
                    isOver.set()
                    var count = 0
                    for try await part in group { count += part }
                    #expect(count > 100)
                }
            }
            #expect(scene.spark.log.contains("the new certificate is refused, the old one stays in use"), "\(scene.spark.log)")
            #expect(scene.spark.log.contains("does not belong"))
            #expect(!scene.spark.log.contains("PRIVATE"))
            if let openssl = InstalledProgram.openssl {
                let shown = try await InstalledProgram.run(
                    "/bin/sh", ["-c", "\(openssl) s_client -connect 127.0.0.1:\(scene.port) | \(openssl) x509 -noout -serial"])
                #expect(shown.output.contains(second.serialNumber), "\(shown.output)")
            }
        }
    }

    @Test("a server that cannot use its certificate does not start, and says why; one whose certificate has expired warns")
    func starts() async throws {
        let authority = try TestAuthority()
        try await withTemporaryFolder { folder in
            let arguments = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"] + TLSScene.settings(folder)
            let missing = try await SparkProcess.run(arguments)
            #expect(missing.status == 78 && missing.errors.contains("tls.certificate_file"), "\(missing.errors)")
            #expect(missing.errors.contains("No such file"))
            try authority.pair().write(to: folder)
            let key = try authority.pair().key
            try Data(key.utf8).write(to: URL(filePath: "\(folder)/key.pem"))
            let mismatch = try await SparkProcess.run(arguments)
            #expect(mismatch.status == 78 && mismatch.errors.contains("does not belong"), "\(mismatch.errors)")
            try authority.pair().write(to: folder)
            let half = try await SparkProcess.run(arguments.dropLast(2))
            #expect(half.status == 78 && half.errors.contains("tls.key_file"), "\(half.errors)")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/key.pem")
            let open = try await SparkProcess.run(["config", "check"] + TLSScene.settings(folder))
            #expect(open.status == 0 && (open.output + open.errors).contains("every user of this machine can read the key"))
        }
        try await TLSScene.run(days: -1) { #expect($0.spark.log.contains("the certificate has expired")) }
    }

    // MARK: The redirect

    @Test("the plain port redirects to HTTPS, refuses hosts that are none, and serves challenges alone")
    func redirect() async throws {
        try await withTemporaryFolder { webroot in
            let challenges = "\(webroot)/.well-known/acme-challenge"
            try FileManager.default.createDirectory(atPath: challenges, withIntermediateDirectories: true)
            try Data("token.print".utf8).write(to: URL(filePath: "\(challenges)/token_-1"))
            try Data("secret".utf8).write(to: URL(filePath: "\(webroot)/secret"))
            let settings = ["--set", "tls.redirect_listen=127.0.0.1:0", "--set", "tls.acme_webroot=\(webroot)"]
            try await TLSScene.run(settings) { scene in
                let url = try #require(scene.spark.readyLine["redirect_url"]?.string)
                #expect(url.hasPrefix("http://127.0.0.1:"))
                func answer(_ request: RawRequest) async throws -> RawAnswer {
                    let answer = try await onOwnThread {
                        let connection = try RawConnection(url)
                        connection.send(request.bytes)
                        return try connection.answer(toHead: request.method == "HEAD")
                    }
                    return try #require(answer)
                }
                for method in ["GET", "HEAD", "POST"] {
                    let found = try await answer(
                        RawRequest(method: method, target: "/a?b=c", headers: [("Host", "example.org:80")]))
                    #expect(
                        found.status == 308 && found.headers["location"] == "https://example.org:\(scene.port)/a?b=c", "\(method)"
                    )
                    #expect(found.headers["strict-transport-security"] == nil)
                    #expect(found.headers["cache-control"] == "private, no-store")
                }
                for host in ["evil.org@example.org", "evil.org/", "evil.org#", "", "[::1"] {
                    let refused = try await answer(RawRequest(headers: [("Host", host)]))
                    #expect(refused.status == 400 && refused.headers["location"] == nil, "\(host)")
                }
                let path = "/.well-known/acme-challenge/"
                let challenge = try await answer(RawRequest(target: path + "token_-1", headers: [("Host", "x")]))
                #expect(challenge.status == 200 && challenge.text == "token.print")
                for name in ["", "other", "../secret", "..%2Fsecret", "../../secret", "token_-1/", "%74oken_-1"] {
                    let refused = try await answer(RawRequest(target: path + name, headers: [("Host", "x")]))
                    #expect(refused.status == 404 && !refused.text.contains("secret"), "\(name)")
                }
            }
            try await TLSScene.run(settings + ["--set", "server.public_url=https://spark.example.org"]) { scene in
                let url = try #require(scene.spark.readyLine["redirect_url"]?.string)
                let found = try await onOwnThread {
                    let connection = try RawConnection(url)
                    connection.send(RawRequest(target: "/x", headers: [("Host", "evil.org")]).bytes)
                    return try connection.answer()
                }
                #expect(found?.headers["location"] == "https://spark.example.org/x")
            }
        }
    }
}

/// Set once, from any task.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

private struct UnexpectedStatus: Error {
    let status: Int
}
