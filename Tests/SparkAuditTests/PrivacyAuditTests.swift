import Logging
import Spark
import SparkAccounts
import SparkAudit
import SparkClient
import SparkCore
import SparkKit
import SparkProfiles
import SparkServer
import SparkTestSupport
import Synchronization
import Testing

@Suite("The audit of privacy")
struct PrivacyAuditTests {
    private static let settings = [
        "http.listen=127.0.0.1:0", "http.reads_per_minute=0", "http.writes_per_minute=0", "http.credentials_per_minute=0",
    ]

    private func withServer<Result>(
        _ modules: [any SparkModule.Type], _ body: (SparkClient, Server) async throws -> Result
    ) async throws -> Result {
        let spark = try await Spark.start(
            modules: modules, settings: Self.settings, logger: Logger(label: "audit") { _ in SwiftLogNoOpLogHandler() })
        do {
            let result = try await body(SparkClient(patient: spark.listening.url), spark.server)
            try await spark.stop()
            return result
        } catch {
            try? await spark.stop()
            throw error
        }
    }

    @Test("relations that must look alike do, on every route and in every list")
    func holds() async throws {
        let report = try await withServer(sparkModules) { client, server in
            func power(_ action: String) -> AuditPowers.Power {
                { user in _ = try await server.operate(action, members: ["user": .string(user)], actor: "test") }
            }
            return try await PrivacyAudit(
                client: client, powers: AuditPowers(suspend: power("user.suspend"), erase: power("user.erase"))
            ).run()
        }
        #expect(report.holds, "\(report.lines.joined(separator: "\n"))")
        #expect(Set(report.findings.flatMap(\.relations)) == Set(PrivacyRelation.allCases.map(\.rawValue)))
    }

    @Test("no operation that names a person is left out")
    func complete() async throws {
        let document = try await withServer(sparkModules) { client, _ in
            try await client.send("GET", "/openapi.json", body: nil).json
        }
        #expect(PrivacyAudit.missing(in: document) == [])
    }

    @Test("a server that reveals hidden people is detected")
    func finds() async throws {
        let report = try await withServer(sparkModules + [TalkativeModule.self]) { client, _ in
            try await PrivacyAudit(client: client).run()
        }
        #expect(!report.holds)
        let differing = report.findings.filter { !$0.holds }
        #expect(differing.allSatisfy { $0.probe.contains("talk") })
        #expect(differing.contains { $0.privacyClass == "absent" })
    }
}

/// Returns how many people at a place changed their profiles: a mistake that a module might make about hidden people.
private struct TalkativeModule: SparkModule {
    static let manifest = ModuleManifest(id: "talkative", summary: "reveals too much", dependencies: ["profiles"])
    private let profiles: any ProfileReading
    private let changes = Changes()

    private final class Changes: Sendable {
        let counts = Mutex<[Coordinate: Int64]>([:])
    }

    init(configuration: NoConfiguration, context: ModuleContext) throws {
        self.profiles = try context.port((any ProfileReading).self)
    }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.onCommit(ProfileChanged.self) { [changes] event in
            guard let place = event.place else { return }
            changes.counts.withLock { $0[place, default: 0] += 1 }
        }
        registrar.route(
            Route(.get, "/talk", "How many people at my place changed", rateLimit: .read, answer: .of(Talk.self)) {
                [profiles, changes] call in
                guard let place = try await profiles.profile(of: call.user)?.place else { return .json(Talk(changed: 0)) }
                return .json(Talk(changed: changes.counts.withLock { $0[place] ?? 0 }))
            })
    }
}

private struct Talk: JSONWritable, SchemaDescribed {
    let changed: Int64

    func write(to writer: inout JSONWriter) { writer.object { $0.field("changed", changed) } }

    static let schemaName = "Talk"
    static let schema = Schema.object([.required("changed", .integer())])
}
