import Dispatch
import Foundation
import HTTPTypes
import Logging
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@Suite("A server that starts slowly")
struct StartOrderTests {
    /// What the test delays: first a preparation, then the module's health.
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
        try await until("the server says where it listens", every: .milliseconds(10)) {
            place = (try? Data(contentsOf: file)).flatMap { try? JSONParser.parse($0) }
            return place != nil
        }
        let client = SparkClient(patient: try #require(place?["url"]?.string))
        let operators = SparkClient(patient: try #require(place?["operator_url"]?.string))
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
        try await until("the server is ready", every: .milliseconds(10)) { isReady.withLock { $0 } }
        #expect(try await client.send("GET", "/api/v1/slow", body: nil).status == 200)
        #expect(try await client.send("GET", "/readyz", body: nil).status == 200)
        await server.shutDown()
        try await running.value
    }

    /// A migration step that takes as long as the test wants.
    private enum Steps {
        static let begun = Latch()
        static let mayEnd = DispatchSemaphore(value: 0)
    }

    private struct Young: SparkModule {
        static let manifest = ModuleManifest(id: "aging", summary: "As it was", migrations: [first])
        static let first = Migration("aging.001_table", sql: "CREATE TABLE aging_things (id INTEGER PRIMARY KEY) STRICT")

        init(configuration: NoConfiguration, context: ModuleContext) {}

        func register(in registrar: inout ModuleRegistrar) {}
    }

    private struct Aged: SparkModule {
        static let manifest = ModuleManifest(
            id: "aging", summary: "As it is",
            migrations: [
                Young.first,
                Migration("aging.002_slow") { _ in
                    Steps.begun.open()
                    Steps.mayEnd.wait()
                },
            ])

        init(configuration: NoConfiguration, context: ModuleContext) {}

        func register(in registrar: inout ModuleRegistrar) {
            registrar.route(
                Route(.get, "/aged", "Answers", access: .open, rateLimit: .read) { _ in Reply(json: Array("{}".utf8)) })
        }
    }

    private struct Failing: SparkModule {
        static let manifest = ModuleManifest(
            id: "aging", summary: "As it never will be",
            migrations: [Young.first, Migration("aging.002_slow", sql: "INSERT INTO nothing VALUES (1)")])

        init(configuration: NoConfiguration, context: ModuleContext) {}

        func register(in registrar: inout ModuleRegistrar) {}
    }

    private func options(_ module: any SparkModule.Type, _ directory: URL) throws -> Server.Options {
        Server.Options(
            modules: [module],
            configuration: try LoadedConfiguration(
                schema: ConfigurationSchema(modules: [module]), flags: ["http.listen=127.0.0.1:0"]),
            directory: try DataDirectory(path: directory.path),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("while a database is migrated probes are answered with the progress, and everything else gets 503")
    func migration() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-aging-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let young = try Server(options(Young.self, directory))
        try await young.prepare()
        await young.close()
        let isReady = Mutex(false)
        let made = Mutex<Server?>(nil)
        let aged = try options(Aged.self, directory)
        let running = Task {
            let server = try await Server.launch(aged)
            made.withLock { $0 = server }
            try await server.run(handlesSignals: false) { _ in isReady.withLock { $0 = true } }
        }
        await Steps.begun.wait()
        let file = directory.appending(path: "spark.port.json")
        let place = try JSONParser.parse(try Data(contentsOf: file))
        let client = SparkClient(patient: try #require(place["url"]?.string))
        let operators = SparkClient(patient: try #require(place["operator_url"]?.string))
        for side in [client, operators] {
            #expect(try await side.send("GET", "/healthz", body: nil).status == 200)
            let readiness = try await side.send("GET", "/readyz", body: nil)
            #expect(readiness.status == 503 && readiness.headers["retry-after"] == "2")
            let checks = try JSONParser.parse(readiness.body)["checks"]
            #expect(checks?["server"] == "starting")
            #expect(checks?["database"] == "migrating: step 1 of 1, aging.002_slow")
            for path in ["/api/v1/aged", "/metrics", "/_/", "/nothing", "/openapi.json", "/api/v1/ws"] {
                let answer = try await side.send("GET", path, body: nil)
                #expect(answer.status == 503, "\(path)")
                #expect(answer.headers["retry-after"] == "2")
                #expect(try JSONParser.parse(answer.body)["code"] == "request.starting")
            }
        }
        #expect(!isReady.withLock { $0 })
        Steps.mayEnd.signal()
        try await until("the server is ready", every: .milliseconds(10)) { isReady.withLock { $0 } }
        // The same connections, if the client kept them.
        #expect(try await client.send("GET", "/api/v1/aged", body: nil).status == 200)
        #expect(try await client.send("GET", "/readyz", body: nil).status == 200)
        #expect(try await operators.send("GET", "/", body: nil).status == 200)
        await made.withLock { $0 }?.shutDown()
        try await running.value
    }

    @Test("a failed migration ends the start with its error, closes the sockets and releases the directory")
    func failingMigration() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-aging-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let young = try Server(options(Young.self, directory))
        try await young.prepare()
        await young.close()
        await #expect(throws: (any Error).self) { _ = try await Server.launch(try options(Failing.self, directory)) }
        #expect(!FileManager.default.fileExists(atPath: directory.appending(path: "spark.port.json").path))
        // The directory is free, the database as it was.
        let again = try Server(options(Young.self, directory))
        #expect(try again.check() == [])
        await again.close()
    }
}
