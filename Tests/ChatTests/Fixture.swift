import SparkAccounts
import SparkCore
import SparkKit
import SparkMatching
import SparkProfiles
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkChat

typealias Person = SparkTestSupport.Person<Fixture>

/// A server with Chat, and the frames that it would send.
final class Fixture: PeopleServer {
    let server: TestServer
    let module: ChatModule
    let stream: StreamLog
    private let count = Mutex<UInt64>(0)

    init(_ server: TestServer) throws {
        self.server = server
        let open = try server.port(OpenChatModule.self)
        module = open.module
        stream = open.stream
    }

    var service: ChatService { module.service }
    var store: SQLiteChatStore { module.store }

    private func next() -> UInt64 {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer {
        try await server.answer(method, path, token: token, body: body)
    }

    func device(_ person: Person) -> Device { Device(person.principal, id: next()) }

    /// Passes a frame to its handler; a thrown error becomes an error frame, as in the gateway.
    func frame(_ device: Device, _ object: JSONValue) async {
        let call = FrameCall(
            connection: device, now: server.clock.now(), reference: object["ref"]?.string, object: object)
        guard let row = ChatClientFrames(service: service).rows.first(where: { $0.type == object["type"]?.string }) else {
            Issue.record("no such frame")
            return
        }
        do {
            switch row.handler {
            case .immediate(let handle): try handle(call)
            case .posted(let post): if case .now(let answer) = try post(call) { device.send(answer) }
            case .query(let handle): if let answer = try await handle(call) { device.send(answer) }
            }
        } catch let error as any ClientError {
            call.refuse(error)
        } catch {
            Issue.record("\(error)")
        }
    }

    /// Returns when all writes submitted so far are done.
    func settle() async throws { for _ in 0..<3 { try await server.storage.write { _ in } } }

    func count(_ sql: String) throws -> Int {
        try server.storage.readNow { try $0.value("SELECT count(*) FROM \(sql)", as: Int.self) ?? -1 }
    }
}

/// The module itself with a stream that can be looked at, which also gives itself out.
struct OpenChatModule: SparkModule {
    static let manifest = ChatModule.manifest
    let module: ChatModule
    let stream = StreamLog()

    init(configuration: ChatConfiguration, context: ModuleContext) throws {
        module = try ChatModule(configuration: configuration, context: context.streaming(through: stream))
    }

    func register(in registrar: inout ModuleRegistrar) {
        module.register(in: &registrar)
        registrar.provide(OpenChatModule.self, self)
    }
}

/// A policy of another module: texts that begin with certain words are denied, held or fail.
struct SaboteurModule: SparkModule, MessagePolicy {
    static let manifest = ModuleManifest(id: "saboteur", summary: "Spoils writes", dependencies: ["chat"])

    private struct Fault: Error {}

    init(configuration: NoConfiguration, context: ModuleContext) throws {}

    func register(in registrar: inout ModuleRegistrar) { registrar.contribute((any MessagePolicy).self, self) }

    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict {
        if draft.text.hasPrefix("throw") { throw Fault() }
        if draft.text.hasPrefix("hold") { return .hold }
        if draft.text.hasPrefix("deny") { return .deny(EdgeError.rateLimited(.seconds(7))) }
        guard draft.text.hasPrefix("fail the commit") else { return .allow }
        // Detected only when the transaction is committed.
        let session = work.transaction.session
        try session.script("PRAGMA defer_foreign_keys = ON")
        try session.script(
            """
            INSERT INTO accounts_sessions (id, user_id, created_at, last_used_at, label) VALUES (1, 987654321, 0, 0, '')
            """)
        return .allow
    }
}

/// Runs a test against its own server; afterwards the data must be sound.
func withChat(_ settings: [String] = [], _ body: (Fixture) async throws -> Void) async throws {
    try await withServer(
        TestServer.start(
            [AccountsModule.self, ProfilesModule.self, MatchingModule.self, OpenChatModule.self, SaboteurModule.self],
            settings: settings)
    ) { server in
        try await body(Fixture(server))
        #expect(try server.check() == [])
    }
}

extension TestAnswer {
    var code: String? { json["code"]?.string }
    var items: [JSONValue] { json["items"]?.array ?? [] }
}
