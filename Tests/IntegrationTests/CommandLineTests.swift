import Foundation
import SparkClient
import SparkCore
import SparkServer
import SparkTestSupport
import Testing

@testable import SparkCommand

@Suite("The command line")
struct CommandLineTests {
    @Test("--version and spark version say the same")
    func version() async throws {
        let flag = try await SparkProcess.run(["--version"])
        let verb = try await SparkProcess.run(["version"])
        #expect(flag.status == 0 && flag.output == verb.output && flag.output.hasPrefix("spark "))
    }

    @Test(
        "an unknown verb is answered with the nearest one, at every level",
        arguments: [
            (["serv"], "did you mean serve?"), (["sreve", "--ephemeral"], "did you mean serve?"),
            (["config", "chek"], "did you mean check?"),
            (["export", "dockerfil"], "did you mean dockerfile?"), (["audit", "locaton"], "did you mean location?"),
            (["nonsense-beyond-help"], "its verbs are serve, seed"), (["help", "serv"], "did you mean serve?"),
            (["help", "config", "chek"], "did you mean check?"), (["help", "nonsense-beyond-help"], "its verbs are serve, seed"),
        ])
    func suggestions(_ words: [String], _ hint: String) async throws {
        let answer = try await SparkProcess.run(words)
        #expect(answer.status == 64 && answer.output.isEmpty)
        #expect(answer.errors.contains(hint), "\(answer.errors)")
    }

    @Test("a verb that exists has help")
    func help() async throws {
        for words in [["help"], ["help", "user", "find"]] {
            let answer = try await SparkProcess.run(words)
            #expect(answer.status == 0 && answer.output.contains("USAGE"), "\(words): \(answer.errors)")
        }
    }

    @Test(
        "a fault of a flag names that flag",
        arguments: [
            (["serve", "--listen", "nonsense"], "--listen: "), (["serve", "--listen", "[::1"], "--listen: "),
            (["serve", "--set", "http.listen=nonsense"], "--set http.listen: "),
            (["config", "check", "--set", "operator.listen=nonsense"], "--set operator.listen: "),
            (["config", "check", "--set", "chat.gif_hosts=a/b"], "--set chat.gif_hosts: "),
        ])
    func blame(_ words: [String], _ start: String) async throws {
        let answer = try await SparkProcess.run(words)
        #expect(answer.status == 78 && answer.errors.hasPrefix("spark: \(start)"), "\(answer.errors)")
        #expect(start.hasPrefix("--set") || !answer.errors.contains("--set"))
    }

    @Test("config check says what is set, to which value and where, hides secrets, and says that the file is sound")
    func configCheck() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        let secret = "a-secret-of-32-characters-or-more"
        try Data("http:\n  reads_per_minute: 77\nmetrics:\n  token: \(secret)\n".utf8).write(to: file)
        let answer = try await SparkProcess.run(
            ["config", "check", "--config", file.path, "--data", "/srv/spark"], environment: ["SPARK_CACHE_MEMORY_MB": "99"])
        #expect(answer.status == 0, "\(answer.errors)")
        let lines = answer.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for line in [
            "http.reads_per_minute = 77 from \(file.path):2", "metrics.token = *** from \(file.path):4",
            "cache.memory_mb = 99 from SPARK_CACHE_MEMORY_MB", "server.data = /srv/spark from --data",
        ] { #expect(lines.contains(line), "\(line) in \(answer.output)") }
        #expect(lines.last?.contains(file.path) == true && lines.last?.contains("sound") == true)
        #expect(!answer.output.contains(secret))
        try Data("http:\n  listen: [\n".utf8).write(to: file)
        let broken = try await SparkProcess.run(["config", "check", "--config", file.path])
        #expect(broken.status == 78 && broken.errors.contains("\(file.path):") && broken.errors.contains("http.listen"))
        try Data([0x68, 0x3A, 0x0A, 0xFF]).write(to: file)
        let binary = try await SparkProcess.run(["config", "check", "--config", file.path])
        #expect(binary.status == 78 && binary.errors.contains("\(file.path):2: "), "\(binary.errors)")
        let missing = try await SparkProcess.run(["config", "check", "--config", "\(file.path).none"])
        #expect(missing.status == 73 && missing.errors.contains("No such file"), "\(missing.errors)")
    }

    @Test("without a server, health and top end with 69, and limits of a missing directory with an error")
    func nobodyThere() async throws {
        try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for place in [["--data", directory], ["--data", directory + "/none"], ["--url", "http://127.0.0.1:1"]] {
                for words in [["health"], ["top", "--once"]] {
                    let answer = try await SparkProcess.run(words + place)
                    #expect(answer.status == 69 && !answer.errors.isEmpty, "\(words + place): \(answer.status) \(answer.errors)")
                    #expect(place[0] == "--data" || answer.errors.contains("does not answer"), "\(words): \(answer.errors)")
                }
            }
            #expect(try await SparkProcess.run(["limits", "--data", directory]).status == 0)
            let none = try await SparkProcess.run(["limits", "--data", directory + "/none"])
            #expect(none.status == 73 && none.output.isEmpty && none.errors.contains("/none"), "\(none.errors)")
            #expect(try await SparkProcess.run(["limits", "--url", "http://127.0.0.1:1"]).status == 69)
            let limits = try await SparkProcess.run(["limits"])
            #expect(limits.status == 0, "\(limits.errors)")
            for text in ["  240 B/s  ", "  3600 s  "] { #expect(limits.output.contains(text), "\(limits.output)") }
        }
    }

    @Test("the page of commands names every verb")
    func commandsPage() async throws {
        let page = try DocumentationPages.text("docs/operating/commands.md")
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `spark") }
        let help = try await SparkProcess.run(["--experimental-dump-help"])
        let verbs = try JSONParser.parse(Array(help.output.utf8))["command"]?["subcommands"]?.array ?? []
        #expect(verbs.count > 15)
        for verb in verbs {
            let name = verb["commandName"]?.string ?? ""
            guard name != "help" else { continue }
            let row = rows.first { $0.contains("`spark \(name)") }
            #expect(row != nil, "spark \(name)")
            for further in verb["subcommands"]?.array ?? [] {
                let word = further["commandName"]?.string ?? ""
                #expect(rows.contains { $0.contains("`spark \(name)") && $0.contains(word) }, "spark \(name) \(word)")
            }
        }
    }

    @Test("a negative number is reported as wrong, not as missing", arguments: ["--people", "--seed"])
    func negative(option: String) async throws {
        let answer = try await SparkProcess.run(["seed", option, "-5"])
        #expect(answer.status == 64 && !answer.errors.contains("Missing value"), "\(answer.errors)")
    }

    @Test(
        "only numbers after an option's name are joined to it",
        arguments: [
            (["--people", "-5"], ["--people=-5"]), (["--at", "-1.5", "x"], ["--at=-1.5", "x"]),
            (["--people=1", "-5"], ["--people=1", "-5"]),
            (["--json", "-h"], ["--json", "-h"]), (["-5"], ["-5"]), (["--", "-5"], ["--", "-5"]),
            (["--data", "-"], ["--data", "-"]),
        ])
    func joining(_ words: [String], _ joined: [String]) { #expect(CommandWords.joiningNegativeNumbers(words) == joined) }

    @Test(
        "a port alone means this machine, --port keeps the configured address",
        arguments: [["--listen", "0"], ["--listen", ":0"], ["--port", "0"]])
    func ports(_ flags: [String]) async throws {
        let spark = try await SparkProcess.serveAsGiven(["--ephemeral"] + flags)
        #expect(spark.url.hasPrefix("http://127.0.0.1:"))
        #expect(try await spark.client.call("GET", "/healthz")["status"] == "ok")
        #expect(await spark.end(SIGTERM) == 0)
    }

    @Test("flags that contradict each other are refused")
    func contradictions() async throws {
        for words in [["--listen", "0", "--port", "0"], ["--ephemeral", "--data", "/nonexistent/x"]] {
            #expect(try await SparkProcess.run(["serve"] + words).status == 64, "\(words)")
        }
        #expect(!FileManager.default.fileExists(atPath: "/nonexistent/x"))
    }

    @Test("an address in use is named, with what to do")
    func addressInUse() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let address = String(spark.url.dropFirst("http://".count))
            let second = try await SparkProcess.run(["serve", "--ephemeral", "--listen", address])
            #expect(second.status == 73)
            #expect(second.errors.contains(address) && second.errors.contains("--port"), "\(second.errors)")
            #expect(!second.errors.contains("descriptor:"))
            let elsewhere = try await SparkProcess.run(["serve", "--ephemeral", "--listen", "203.0.113.77:0"])
            #expect(elsewhere.status == 73 && elsewhere.errors.contains("203.0.113.77:0"), "\(elsewhere.errors)")
        }
    }

    @Test("a file in the place of a data directory is named")
    func dataDirectory() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-file-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let answer = try await SparkProcess.run(["check", "--data", file.path])
        #expect(answer.status == 73 && answer.errors.contains(file.path) && answer.errors.contains("--data"), "\(answer.errors)")
        #expect(!answer.errors.contains("there is no database in it"))
    }

    @Test("variables of other programs are noted on standard error and change nothing")
    func foreignVariables() async throws {
        let answer = try await SparkProcess.run(
            ["config", "check"], environment: ["SPARK_PORT": "tcp://10.0.0.1:7775", "SPARK_HOME": "/x"])
        #expect(answer.status == 0 && answer.errors.contains("SPARK_HOME, SPARK_PORT"), "\(answer.errors)")
        #expect(!answer.errors.contains("tcp://"))
    }

    @Test("the benchmarks are a program of their own")
    func benchmarks() async throws {
        let gone = try await SparkProcess.run(["bench", "cache"])
        #expect(gone.status == 64 && gone.errors.contains("no verb bench"), "\(gone.errors)")
        let help = try await SparkProcess.run(["--help"], program: "spark-bench")
        #expect(help.status == 0)
        for verb in ["cache", "chat", "match", "metrics"] { #expect(help.output.contains("\n  \(verb) "), "\(help.output)") }
        let measured = try await SparkProcess.run(
            ["match", "--people", "1000", "--probes", "8", "--compare", "8"], program: "spark-bench")
        #expect(measured.status == 0 && !measured.output.isEmpty, "\(measured.errors)")
    }

    @Test("a full bar is drawn once for each part")
    func progress() {
        let drawn = Drawn()
        let bar = ProgressBar(total: 10, isShown: true) { drawn.add($0) }
        for label in ["accounts", "profiles"] {
            for done in [5, 10, 10, 10] { bar.show(label, done) }
        }
        #expect(drawn.lines.filter { $0.hasSuffix("10/10\n") }.count == 2)
        #expect(Terminal.count(1, "fault") == "1 fault" && Terminal.count(2, "fault") == "2 faults")
    }
}

private final class Drawn: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [String] = []
    var lines: [String] { lock.withLock { all } }
    func add(_ line: String) { lock.withLock { all.append(line) } }
}

@Suite("The server's log")
struct ServerLogTests {
    @Test("each answered request is one JSON line with the route, never the path, and the id that the client got")
    func accessLog() async throws {
        let spark = try await SparkProcess.serve([
            "--ephemeral", "--set", "server.access_log=true", "--set", "server.log_format=json",
        ])
        let ada = try await spark.client.person("Ada")
        _ = try await spark.client.send("GET", "/api/v1/users/\(ada.id.wire)?ticket=Zq7Secret", body: nil)
        _ = try await spark.client.send("GET", "/api/v1/Zq7Nowhere", body: nil)
        _ = try await spark.client.send("DELETE", "/api/v1/users/\(ada.id.wire)", body: nil)
        let token = ada.client.token ?? ""
        let answer = try await onOwnThread { [url = spark.url] in
            let connection = try RawConnection(url)
            connection.send(RawRequest.plain("GET", "/api/v1/me", token: token).with("X-Request-Id", "number-7").bytes)
            return try connection.answer()
        }
        #expect(answer?.status == 200)
        #expect(await spark.end(SIGTERM) == 0)
        let log = spark.log
        let lines = try log.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        let mine = try #require(lines.first { $0["request_id"] == "number-7" })
        #expect(
            mine["message"] == "request" && mine["method"] == "GET" && mine["route"] == "/api/v1/me" && mine["status"] == 200)
        #expect(mine["bytes"] == .integer(Int64(answer?.body.count ?? 0)))
        #expect((mine["duration_ms"]?.double ?? -1) >= 0 && mine["duration_ms"]?.string == nil)
        #expect(lines.contains { $0["route"] == "/api/v1/users/{id}" && $0["status"] == 401 })
        #expect(lines.contains { $0["route"] == "unmatched" && $0["status"] == 404 })
        #expect(lines.contains { $0["route"] == "/api/v1/users/{id}" && $0["method"] == "DELETE" && $0["status"] == 405 })
        #expect(!lines.contains { $0["route"] == "unmatched" && $0["status"] == 405 })
        for secret in [ada.id.wire, token, "Zq7", "127.0.0.1", "example.org"] { #expect(!log.contains(secret), "\(secret)") }
    }

    @Test("without the setting no request is logged, and at debug no library dumps its state")
    func debug() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--set", "server.log_level=debug"])
        _ = try await spark.client.call("GET", "/healthz")
        #expect(await spark.end(SIGTERM) == 0)
        let lines = spark.log.split(separator: "\n")
        #expect(lines.allSatisfy { $0.utf8.count < 500 }, "\(lines.map(\.count))")
        #expect(!spark.log.contains("/healthz"))
    }

    @Test("streams and sockets are logged at their end, refused ones with their status")
    func ends() async throws {
        let spark = try await SparkProcess.serve([
            "--ephemeral", "--set", "server.access_log=true", "--set", "server.log_format=json",
        ])
        let ada = try await spark.client.person("Ada")
        let events = try await onOwnThread { [url = spark.url, token = ada.client.token ?? ""] in
            let offer = RawRequest.plain("GET", "/api/v1/ws").with("Upgrade", "websocket").with("Connection", "Upgrade")
                .with("Sec-WebSocket-Version", "13").with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            let refused = try RawConnection(url)
            refused.send(offer.bytes)
            let first = try refused.answer()?.status
            let accepted = try RawConnection(url)
            accepted.send(offer.with("Authorization", "Bearer \(token)").bytes)
            return [first, try accepted.answer(toHead: true)?.status]
        }
        #expect(events == [401, 101])
        let looked = try await ada.client.send("HEAD", "/api/v1/stream", body: nil)
        #expect(looked.status == 200)
        #expect(await spark.end(SIGTERM) == 0)
        let lines = try spark.log.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        let sockets = lines.filter { $0["route"] == "/api/v1/ws" }
        #expect(Set(sockets.compactMap { $0["status"]?.integer }) == [401, 101])
        #expect(sockets.allSatisfy { $0["request_id"]?.string?.isEmpty == false })
        let heads = lines.filter { $0["route"] == "/api/v1/stream" }
        #expect(heads.count == 1 && heads.first?["method"] == "HEAD" && heads.first?["status"] == 200)
        #expect(heads.first?["bytes"] == 0 && heads.first?["request_id"]?.string == looked.headers["x-request-id"])
    }

    @Test("an event stream of an HTTP/1.0 client is not sent in chunks and ends with its connection")
    func oldClient() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let ada = try await spark.client.person("Ada")
            let head = try await onOwnThread { [url = spark.url, token = ada.client.token ?? ""] in
                let connection = try RawConnection(url)
                connection.send(Array("GET /api/v1/stream?offset=0 HTTP/1.0\r\nAuthorization: Bearer \(token)\r\n\r\n".utf8))
                return try connection.text(until: "\r\n\r\n")
            }.lowercased()
            #expect(head.hasPrefix("http/1.0 200"), "\(head)")
            #expect(head.contains("text/event-stream") && head.contains("connection: close"))
            #expect(!head.contains("transfer-encoding"))
        }
    }
}
