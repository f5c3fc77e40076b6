import Foundation
import HTTPTypes
import Logging
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import Synchronization
import Testing

@Suite("A server that starts slowly")
struct StartOrderTests {
    /// What the test holds back: first a preparation, then the module's health.
    private enum Held {
        static let preparation = Latch()
        static let health = Latch()
    }

    private final class Latch: Sendable {
        private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

        var isOpen: Bool { state.withLock { $0.isOpen } }

        func open() {
            for waiting in state.withLock({ state in
                defer { state = (true, []) }
                return state.waiting
            }) { waiting.resume() }
        }

        func wait() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }
    }

    private struct Slow: SparkModule {
        static let manifest = ModuleManifest(id: "slow", summary: "Takes its time")

        struct NotYet: Error {}

        init(configuration: NoConfiguration, context: ModuleContext) {}

        func register(in registrar: inout ModuleRegistrar) {
            registrar.route(
                Route(.get, "/slow", "Answers", access: .open, rateLimit: .read) { _ in Reply(json: Array("{}".utf8)) })
            registrar.prepare { await Held.preparation.wait() }
            registrar.health("slow") { if !Held.health.isOpen { throw NotYet() } }
        }
    }

    @Test("probes are answered from the first moment, everything else gets 503 until modules are well, and only then it is ready")
    func order() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-slow-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let configuration = try LoadedConfiguration(
            schema: ConfigurationSchema(modules: [Slow.self]), flags: ["http.listen=127.0.0.1:0"])
        let server = try Server(
            Server.Options(
                modules: [Slow.self], configuration: configuration, directory: try DataDirectory(path: directory.path),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let isReady = Mutex(false)
        let running = Task {
            try await server.run(handlesSignals: false) { _ in isReady.withLock { $0 = true } }
        }
        let file = directory.appending(path: "spark.port.json")
        var place: JSONValue?
        for _ in 0..<1_000 where place == nil {
            place = (try? Data(contentsOf: file)).flatMap { try? JSONParser.parse($0) }
            try await Task.sleep(for: .milliseconds(10))
        }
        let client = SparkClient(url: try #require(place?["url"]?.string))
        let operators = SparkClient(url: try #require(place?["operator_url"]?.string))
        for step in 0..<2 {
            for side in [client, operators] {
                #expect(try await side.send("GET", "/healthz", body: nil).status == 200)
                let readiness = try await side.send("GET", "/readyz", body: nil)
                #expect(readiness.status == 503)
                let checks = try JSONParser.parse(readiness.body)["checks"]
                #expect(checks?["server"] == "starting" && checks?["database"] == "ok" && checks?["slow"] == "failed")
                for path in ["/api/v1/slow", "/metrics", "/nothing", "/openapi.json"] {
                    let answer = try await side.send("GET", path, body: nil)
                    #expect(answer.status == 503, "\(path)")
                    #expect(answer.headers["retry-after"] == "2")
                    #expect(try JSONParser.parse(answer.body)["code"] == "request.starting")
                }
            }
            #expect(!isReady.withLock { $0 })
            if step == 0 { Held.preparation.open() } else { Held.health.open() }
        }
        for _ in 0..<1_000 where !isReady.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(isReady.withLock { $0 })
        #expect(try await client.send("GET", "/api/v1/slow", body: nil).status == 200)
        #expect(try await client.send("GET", "/readyz", body: nil).status == 200)
        await server.shutDown()
        try await running.value
    }
}
