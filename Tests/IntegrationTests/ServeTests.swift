import CDispatch
import CoreFoundation
import Foundation
import Glibc
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark serve")
struct ServeTests {
    @Test("the ephemeral server is ready when it says so, stops on SIGTERM with 0 and leaves nothing behind")
    func ephemeral() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral"])
        #expect(spark.readyLine["event"] == "ready")
        #expect(spark.readyLine["pid"]?.integer == Int64(spark.pid))
        #expect(try await spark.client.call("GET", "/readyz")["status"] == "ok")
        #expect(FileManager.default.fileExists(atPath: spark.directory))
        #expect(await spark.end(SIGTERM) == 0)
        #expect(!FileManager.default.fileExists(atPath: spark.directory))
    }

    @Test("two people meet: register, place, deck, like, match, unmatch")
    func meeting() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let ada = try await spark.client.person("Ada", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
            let ben = try await spark.client.person(
                "Ben", gender: "man", interestedIn: ["woman"], at: Coordinate(latitude: 48.86, longitude: 2.3522))
            #expect(try await ada.deck()["items"]?.array?.map { $0["id"]?.string } == [ben.id.wire])
            #expect(try await ada.swipe(ben.id, "like")["match"] == .null)
            #expect(try await ben.client.call("GET", "/api/v1/likes")["items"]?[0]?["user"]?["id"]?.string == ada.id.wire)
            let match = try await ben.swipe(ada.id, "like")["match"]
            #expect(match?["user"]?["id"]?.string == ada.id.wire)
            #expect(try await ada.client.call("GET", "/api/v1/matches")["items"]?[0]?["id"] == match?["id"])
            #expect(try await ada.deck()["items"]?.array?.isEmpty == true)
            _ = try await ada.client.call("DELETE", "/api/v1/matches/\(match?["id"]?.string ?? "")")
            #expect(try await ben.client.call("GET", "/api/v1/matches")["items"]?.array?.isEmpty == true)
        }
    }

    @Test("written data is there after a stop and a start; two servers cannot share a directory")
    func restart() async throws {
        try await withDataDirectory { directory in
            let first = try await SparkProcess.serve(["--data", directory, "--set", "http.credentials_per_minute=0"])
            let ada = try await first.client.person("Ada", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
            await #expect(throws: DidNotStart.self) { _ = try await SparkProcess.serve(["--data", directory]) }
            #expect(await first.end(SIGTERM) == 0)
            let second = try await SparkProcess.serve(["--data", directory])
            let me = try await SparkClient(patient: second.url, token: ada.client.token).call("GET", "/api/v1/me")
            #expect(me["name"] == "Ada")
            let health = try await SparkProcess.run(["health", "--data", directory])
            #expect(health.status == 0)
            let token = try await SparkProcess.run(["token", "--data", directory, ada.id.wire])
            #expect(token.status == 0)
            let client = SparkClient(patient: second.url, token: token.output.trimmingCharacters(in: .newlines))
            #expect(try await client.call("GET", "/api/v1/me")["id"]?.string == ada.id.wire)
            #expect(await second.end(SIGINT) == 0)
            let other = ["serve", "--data", directory, "--listen", "127.0.0.1:0", "--set", "profiles.cell_metres=500"]
            let refused = try await SparkProcess.run(other)
            #expect(refused.status == 78)
            #expect(refused.output.isEmpty)
            #expect(refused.errors.contains("cell_metres"))
            #expect(try await SparkProcess.run(["check", "--data", directory]).status == 0)
            #expect(try await SparkProcess.run(["health", "--data", directory]).status != 0)
        }
    }

    @Test("a server with --exit-with-parent ends with its parent")
    func orphan() async throws {
        // A shell starts the server and ends at once; the server must notice.
        let log = FileManager.default.temporaryDirectory.appending(path: "spark-orphan-\(UUID().uuidString)")
        let shell = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "\(SparkProcess.binary.path) serve --ephemeral --exit-with-parent --listen 127.0.0.1:0 > \(log.path) & "
                    + "while [ ! -s \(log.path) ] && kill -0 $!; do sleep 0.02; done",
            ])
        #expect(await shell.end() == 0)
        let pid = Int32(try JSONParser.parse(Data(contentsOf: log).prefix { $0 != 0x0A })["pid"]?.integer ?? 0)
        try #require(pid > 0)
        try await until("the server is gone", every: .milliseconds(20)) { kill(pid, 0) != 0 }
    }

    @Test("every answer has the time in its Date field: of a route, of no route, and of what is no request")
    func dates() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let requests = [
                RawRequest.plain("GET", "/healthz").bytes, RawRequest.plain("HEAD", "/healthz").bytes,
                RawRequest.plain("GET", "/nothing").bytes, Array("nonsense\r\n\r\n".utf8),
            ]
            let before = Date.now.addingTimeInterval(-2)
            let dates = try await onOwnThread { [url = spark.url] in
                try requests.enumerated().map { index, bytes in
                    let connection = try RawConnection(url)
                    connection.send(bytes)
                    return try connection.answer(toHead: index == 1)?.headers["date"] ?? ""
                }
            }
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(secondsFromGMT: 0)
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            for text in dates {
                let date = try #require(format.date(from: text), "\(dates)")
                #expect(date >= before && date <= .now, "\(dates)")
            }
        }
    }

    @Test(
        "a server whose standard error is the journal sends its lines there, with fields, and writes none",
        arguments: [true, false])
    func journal(isNamed: Bool) async throws {
        let journal = try FakeJournal()
        let errors = try ChildProcess.pipe()
        defer { close(errors.reader) }
        var status = stat()
        try #require(fstat(errors.writer, &status) == 0)
        // Under another inode, standard error is something else.
        let stream = "\(status.st_dev):\(isNamed ? status.st_ino : status.st_ino + 1)"
        let environment = ["JOURNAL_STREAM": stream, "SPARK_JOURNAL_SOCKET": journal.path]
        let (server, pid) = try await onOwnThread {
            defer { close(errors.writer) }
            let process = try ChildProcess(
                SparkProcess.binary.path,
                ["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--set", "server.access_log=true"], environment: environment,
                errors: errors.writer)
            return (process, process.pid)
        }
        let output = server.output
        let line = try await onOwnThread { output.availableData }
        let url = try JSONParser.parse(line.prefix { $0 != 0x0A })["url"]?.string ?? ""
        _ = try await SparkClient(patient: url).call("GET", "/healthz")
        kill(pid, SIGTERM)
        #expect(await server.end() == 0)
        let text = try await onOwnThread {
            String(decoding: FileHandle(fileDescriptor: errors.reader).readDataToEndOfFile(), as: UTF8.self)
        }
        guard isNamed else { return #expect(text.contains("route=/healthz"), "\(text)") }
        #expect(text == "")
        var fields = try journal.next().fields
        while fields["SPARK_ROUTE"] == nil { fields = try journal.next().fields }
        #expect(fields["SPARK_ROUTE"] == "/healthz" && fields["SPARK_STATUS"] == "200" && fields["PRIORITY"] == "6")
        #expect(fields["SYSLOG_IDENTIFIER"] == "spark" && fields["MESSAGE"]?.hasPrefix("request ") == true)
    }

    @Test("a mistake in the configuration ends with the nearest name and exit code 78")
    func mistakes() async throws {
        let flag = try await SparkProcess.run(["serve", "--ephemeral", "--set", "http.listne=x"])
        #expect(flag.status == 78)
        #expect(flag.errors.contains("did you mean listen?"))
        let variable = try await SparkProcess.run(["config", "check"], environment: ["SPARK_MATCHING_LIKES_PER_DAYS": "3"])
        #expect(variable.status == 78)
        #expect(variable.errors.contains("SPARK_MATCHING_LIKES_PER_DAY"))
        #expect(try await SparkProcess.run(["check", "--data", "/nonexistent/spark"]).status == 73)
    }

    @Test("spark modules lists what each declares")
    func modules() async throws {
        let answer = try await SparkProcess.run(["modules", "--json"])
        let modules = try JSONParser.parse(answer.output.utf8)
        #expect(
            modules.array?.compactMap { $0["id"]?.string } == ["accounts", "profiles", "matching", "chat", "push", "metrics"])
        let members = if case .object(let members)? = modules[0] { members } else { [JSONMember]() }
        #expect(
            members.map(\.key) == [
                "id", "summary", "dependencies", "routes", "frames", "subscriptions", "ports", "outbox", "actions", "cache",
                "metrics", "tables",
            ])
        #expect(modules[2]?["routes"]?.array?.contains("GET /api/v1/matches/suggestions") == true)
        #expect(modules[2]?["dependencies"]?.array == ["accounts", "profiles"])
        #expect(modules[0]?["tables"]?.array?.contains("accounts_users") == true)
    }
}
