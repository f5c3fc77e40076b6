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

/// A person with an account.
struct Person: Sendable {
    let id: UserID
    let token: String
    let session: SessionID

    var principal: Principal { Principal(user: id, session: session, expiresAt: Timestamp(milliseconds: .max)) }
}

/// A server with Chat, and the frames that it would send.
final class Fixture: Sendable {
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

    func people(_ count: Int) async throws -> [Person] {
        var people: [Person] = []
        for _ in 0..<count {
            let body: JSONValue = [
                "email": .string("p\(next())@example.org"), "password": "correct horse", "name": "P",
                "birth_date": "1995-12-10", "gender": "woman", "interested_in": ["woman"],
            ]
            let answer = try await server.call("POST", "/api/v1/auth/register", json: JSONWriter.string(of: body))
            let id = try #require(answer.json["user"]?["id"]?.string.flatMap { UserID(wire: $0) }, "\(answer.body)")
            let token = try #require(answer.json["access_token"]?.string)
            let principal = try await server.port((any Authenticating).self).authenticate(token: token)
            people.append(Person(id: id, token: token, session: principal.session))
        }
        return people
    }

    func call(_ method: String, _ path: String, _ person: Person, _ body: JSONValue? = nil) async throws -> TestAnswer {
        try await server.call(
            method, "/api/v1\(path)", token: person.token, json: body.map { JSONWriter.string(of: $0) })
    }

    @discardableResult
    func swipe(_ person: Person, _ target: Person) async throws -> JSONValue {
        try await call("POST", "/swipes", person, ["target_id": .string(target.id.wire), "action": "like"]).json
    }

    /// Matches two people.
    func match(_ a: Person, _ b: Person) async throws -> ConversationID {
        try await swipe(a, b)
        let answer = try await swipe(b, a)
        return try #require(answer["match"]?["conversation_id"]?.string.flatMap { ConversationID(wire: $0) }, "\(answer)")
    }

    func block(_ target: Person, by person: Person) async throws {
        _ = try await call("POST", "/blocks", person, ["target_id": .string(target.id.wire)])
    }

    func send(
        _ text: String, to conversation: ConversationID, by person: Person, clientID: String? = nil
    ) async throws -> TestAnswer {
        let id = clientID ?? "auto-\(next())"
        return try await call(
            "POST", "/conversations/\(conversation.wire)/messages", person, ["client_id": .string(id), "text": .string(text)])
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
    let server = try await TestServer.start(
        [AccountsModule.self, ProfilesModule.self, MatchingModule.self, OpenChatModule.self, SaboteurModule.self],
        settings: settings)
    do {
        try await body(Fixture(server))
        #expect(try server.check() == [])
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

extension TestAnswer {
    var code: String? { json["code"]?.string }
    var items: [JSONValue] { json["items"]?.array ?? [] }
}
