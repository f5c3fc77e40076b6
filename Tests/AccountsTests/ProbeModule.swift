import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// The published events, by name, in order.
final class EventLog: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func append(_ name: String) { names.withLock { $0.append(name) } }
}

/// Replaces the modules that take part in an account's life: stores a name and whether the person is hidden.
struct ProbeModule: SparkModule {
    typealias Configuration = NoConfiguration

    static let manifest = ModuleManifest(
        id: "probe", summary: "Takes part in accounts", dependencies: ["accounts"],
        migrations: [
            Migration(
                "probe.001", sql: "CREATE TABLE probe_people (id INTEGER PRIMARY KEY, name TEXT, closed INTEGER) STRICT")
        ],
        tables: [
            .userLinked(
                "probe_people",
                export: { session, user in
                    try session.rows("SELECT name FROM probe_people WHERE id = ?", user.rawValue) { row in
                        ["name": .string(row[0])]
                    }
                },
                erase: { session, user in
                    try session.run("DELETE FROM probe_people WHERE id = ?", user.rawValue)
                })
        ])

    private let storage: any Storage
    private let log = EventLog()

    init(configuration: NoConfiguration, context: ModuleContext) throws { self.storage = context.storage }

    func register(in registrar: inout ModuleRegistrar) {
        let (participant, log) = (Participant(storage: storage), log)
        registrar.contribute((any RegistrationParticipant).self, participant)
        registrar.contribute((any ClosureParticipant).self, participant)
        registrar.provide(EventLog.self, log)
        registrar.cacheTags(ofUsers: [CacheTagKind("probe.person")])
        registrar.subscribe(to: UserRegistered.self) { _ in log.append(UserRegistered.name) }
        registrar.subscribe(to: SessionRevoked.self) { _ in log.append(SessionRevoked.name) }
        registrar.subscribe(to: AccountClosed.self) { _ in log.append(AccountClosed.name) }
        registrar.subscribe(to: AccountReopened.self) { _ in log.append(AccountReopened.name) }
        registrar.subscribe(to: AccountSuspended.self) { _ in log.append(AccountSuspended.name) }
        registrar.subscribe(to: AccountRestored.self) { _ in log.append(AccountRestored.name) }
        registrar.subscribe(to: AccountErased.self) { _ in log.append(AccountErased.name) }
    }

    struct Refusal: Error {}

    struct Participant: RegistrationParticipant, ClosureParticipant {
        let storage: any Storage

        /// Refuses a person named Refused, after the row was written.
        func register(_ registration: Registration, in work: any UnitOfWork) throws {
            try work.transaction.session.run(
                "INSERT INTO probe_people VALUES (?, ?, 0)", registration.user.rawValue, registration.name)
            if registration.name == "Refused" { throw Refusal() }
        }

        func selfPortrait(of user: UserID) async throws -> [UInt8] {
            let name = try await storage.read { session in
                try session.value("SELECT name FROM probe_people WHERE id = ?", user.rawValue, as: String.self)
            }
            let portrait: JSONValue = ["id": .string(user.wire), "name": name.map { .string($0) } ?? .null]
            return JSONWriter.bytes(of: portrait)
        }

        func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
            try work.transaction.session.run("UPDATE probe_people SET closed = ? WHERE id = ?", isClosed, user.rawValue)
        }
    }
}

extension Storage {
    /// The number that a query of the tables returns.
    func number(_ sql: String) async throws -> Int {
        try await read { try $0.value(sql, as: Int.self) ?? -1 }
    }

    /// Changes the tables behind the server's back.
    func run(_ sql: String) async throws {
        try await write { transaction in try transaction.session.script(sql) }
    }
}
