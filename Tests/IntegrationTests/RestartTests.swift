import Foundation
import Glibc
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

/// Restarts a server whose socket belongs to another program, as systemd does.
@Suite("A restart behind a socket that stays open")
struct RestartTests {
    /// A listening socket, as a service manager keeps it.
    private final class HeldSocket: Sendable {
        let descriptor: Int32
        let url: String

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = descriptor
            let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && listen(descriptor, 4_096) == 0 && getsockname(descriptor, $0, &size) == 0
                }
            }
            guard isOpen else { throw RawFailure(reason: "listen: \(errno)") }
            url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        }

        deinit { close(descriptor) }
    }

    /// What the clients of a test share.
    private final class Load: Sendable {
        let seen = Mutex(Seen())
        let isOver = Atomic(false)
    }

    /// What the clients saw.
    private struct Seen {
        var answers = 0
        var retries = 0
        var failures: [String] = []
        var longest = Duration.zero
    }

    /// One client: asks again and again over one connection. It opens another one when the server closes, and repeats a request only
    /// if it was not the first of its connection and no byte of an answer came, as HTTP clients do (RFC 9112, 9.3.1).
    private static func ask(_ url: String, _ token: String, _ load: Load) {
        let request = RawRequest.plain("GET", "/api/v1/me", token: token).bytes
        var connection: RawConnection?
        while !load.isOver.load(ordering: .relaxed) {
            let start = ContinuousClock.now
            var isRepeated = false
            repeat {
                let isFirst = connection == nil
                do {
                    let open = try connection ?? RawConnection(url)
                    connection = open
                    open.send(request)
                    guard let answer = try open.answer() else {
                        connection = nil
                        isRepeated = !isFirst
                        load.seen.withLock { isFirst ? $0.failures.append("a first request got no answer") : ($0.retries += 1) }
                        continue
                    }
                    isRepeated = false
                    if answer.headers["connection"] == "close" { connection = nil }
                    load.seen.withLock {
                        $0.answers += 1
                        if answer.status != 200 { $0.failures.append("\(answer.status) \(answer.code)") }
                    }
                } catch {
                    connection = nil
                    isRepeated = false
                    load.seen.withLock { $0.failures.append("\(error)") }
                }
            } while isRepeated
            let taken = start.duration(to: .now)
            load.seen.withLock { $0.longest = max($0.longest, taken) }
        }
    }

    /// A machine that is busy with other tests starts a server slowly.
    private static let arguments = [
        "--set", "server.start_patience_seconds=\(Scale.isSoak ? 2 : 120)",
        "--set", "http.reads_per_minute=0", "--set", "http.credentials_per_minute=0", "--set", "operator.listen=",
    ]

    @Test(
        "refuses no request, whether the new server starts after the old one or beside it", .timeLimit(.minutes(20)),
        arguments: [false, true])
    func restart(isBeside: Bool) async throws {
        try await withDataDirectory { directory in
            let socket = try HeldSocket()
            func start() async throws -> SparkProcess {
                try await SparkProcess.serve(
                    ["--data", directory] + Self.arguments, on: socket.descriptor, named: "public")
            }
            var server = try await start()
            #expect(server.url == socket.url)
            let token = try #require(try await server.client.person("Ada").client.token)
            let load = Load()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<Scale.of(test: 8, soak: 64) {
                    group.addTask { try await onOwnThread { Self.ask(socket.url, token, load) } }
                }
                do {
                    for _ in 0..<Scale.of(test: 2, soak: 20) {
                        let before = load.seen.withLock { $0.answers }
                        try await until("the server is used", every: .milliseconds(5)) {
                            load.seen.withLock { $0.answers } > before + 50
                        }
                        if isBeside {
                            let old = server
                            async let end = old.end(SIGTERM)
                            server = try await start()
                            #expect(await end == 0)
                        } else {
                            #expect(await server.end(SIGTERM) == 0)
                            server = try await start()
                        }
                    }
                    let before = load.seen.withLock { $0.answers }
                    try await until("the last server is used", every: .milliseconds(5)) {
                        load.seen.withLock { $0.answers } > before + 50
                    }
                } catch {
                    load.isOver.store(true, ordering: .relaxed)
                    throw error
                }
                load.isOver.store(true, ordering: .relaxed)
                try await group.waitForAll()
            }
            let result = load.seen.withLock { $0 }
            #expect(result.failures == [], "\(result.answers) answers, \(result.retries) retries")
            if Scale.isSoak { print("restart: \(result.answers) answers, \(result.retries) retries, longest \(result.longest)") }
            #expect(await server.end(SIGTERM) == 0)
        }
    }

    @Test("listens where the socket does, says that http.listen has no effect, and gives operators the socket of their name")
    func names() async throws {
        let socket = try HeldSocket()
        let server = try await SparkProcess.serve(
            ["--ephemeral", "--listen", "127.0.0.1:1", "--set", "server.log_level=warning"], on: socket.descriptor,
            named: "spark.socket")
        #expect(server.url == socket.url)
        #expect(try await server.client.call("GET", "/readyz")["status"] == "ok")
        #expect(await server.end(SIGTERM) == 0)
        #expect(server.log.contains("http.listen has no effect") && server.log.contains("127.0.0.1:1"), "\(server.log)")
        let operators = try await SparkProcess.serve(
            ["--ephemeral", "--listen", "127.0.0.1:0"], on: socket.descriptor, named: "operators")
        #expect(operators.readyLine["operator_url"]?.string == socket.url && operators.url != socket.url)
        #expect(await operators.end(SIGTERM) == 0)
    }

    @Test("does not begin with a descriptor that is no socket")
    func refusal() async throws {
        let pipe = try ChildProcess.pipe()
        defer { for end in [pipe.reader, pipe.writer] { close(end) } }
        let error = await #expect(throws: DidNotStart.self) {
            try await SparkProcess.serve(["--ephemeral"], on: pipe.reader, named: "public")
        }
        #expect(error?.status == 78 && error?.log.contains("ListenStream=") == true, "\(error?.log ?? "")")
    }
}
