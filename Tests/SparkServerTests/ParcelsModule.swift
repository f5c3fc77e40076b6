import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// A module whose users are their own tokens, with routes of every kind that a batch may meet.
struct Parcels: SparkModule, Authenticating {
    static let manifest = ModuleManifest(
        id: "parcels", summary: "Sends",
        migrations: [Migration("parcels.001_sent", sql: "CREATE TABLE parcels_sent (id INTEGER PRIMARY KEY) STRICT")],
        tables: [.plain("parcels_sent")])

    /// How many requests are under way at once, and the most that there were.
    private final class Meeting: Sendable {
        struct State {
            var present = 0
            var most = 0
        }

        let state = Mutex(State())
    }

    /// The length of `GET /parcels/big` and `POST /parcels/big`.
    static let bigLength = 75_000

    private let storage: any Storage
    private let meeting = Meeting()

    init(configuration: NoConfiguration, context: ModuleContext) { storage = context.storage }

    func authenticate(token: String) async throws -> Principal {
        guard let user = UserID(wire: token) else { throw EdgeError.unauthenticated }
        return Principal(user: user, session: SessionID(rawValue: 1), expiresAt: Timestamp(milliseconds: .max))
    }

    static func token(_ number: Int64) -> String { UserID(rawValue: number).wire }

    private struct Broken: Error {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.provide((any Authenticating).self, self)
        for route in plain + odd { registrar.route(route) }
    }

    private var plain: [Route] {
        [
            Route(.get, "/parcels", "Looks", rateLimit: .read) { _ in Reply(json: Array("{}".utf8), entityTag: "look") },
            Route(.get, "/parcels/{id}/echo", "Repeats", rateLimit: .read, query: [.text("q", maximum: 9, "Any.")]) { call in
                let headers = call.headers
                return .json(
                    [
                        "user": .string(try call.user.wire), "address": .string(call.address),
                        "id": .string(call.segment("id") ?? ""), "q": .string(call.text("q") ?? ""),
                        "agent": .string(headers[.userAgent] ?? ""), "language": .string(headers[.acceptLanguage] ?? ""),
                        "names": .array(headers.map { .string($0.name.canonicalName) }),
                    ] as JSONValue)
            },
            Route(.put, "/parcels/echo", "Repeats the body", rateLimit: .write, body: SchemaReference("Any", .anyValue)) { call in
                _ = try call.bodyValue()
                return Reply(json: call.bodyBytes)
            },
            Route(
                .patch, "/parcels/echo", "Says whether there is a body", rateLimit: .write,
                body: SchemaReference("Any", .anyValue), isBodyOptional: true
            ) { call in .json(JSONValue.bool(call.hasBody)) },
            Route(.post, "/parcels", "Sends", rateLimit: .write, status: .created) { _ in
                let id = try await storage.write { transaction in
                    try transaction.value("INSERT INTO parcels_sent DEFAULT VALUES RETURNING id", as: Int64.self) ?? 0
                }
                return Reply(
                    .created, headers: [.location: "/parcels/\(id)"], json: Array("{\"id\":\(id)}".utf8), entityTag: "tag-\(id)")
            },
            Route(.delete, "/parcels", "Sends nothing", rateLimit: .write, status: .noContent) { _ in .noContent },
            Route(.get, "/parcels/broken", "Fails", rateLimit: .read) { _ in throw Broken() },
        ]
    }

    private var odd: [Route] {
        [
            Route(.get, "/parcels/meet", "Waits for others", rateLimit: .read) { _ in
                meeting.state.withLock { state in
                    state.present += 1
                    state.most = max(state.most, state.present)
                }
                // Until the most that a batch allows have met, or no more come.
                let start = ContinuousClock.now
                while meeting.state.withLock({ $0.most < 8 }), ContinuousClock.now - start < .seconds(2) {
                    try await Task.sleep(for: .milliseconds(20))
                }
                return meeting.state.withLock { state in
                    state.present -= 1
                    return .json(["most": .integer(Int64(state.most))] as JSONValue)
                }
            },
            Route(.get, "/parcels/big", "Much", rateLimit: .read) { _ in Self.big },
            Route(.post, "/parcels/big", "Much, too", rateLimit: .write) { _ in Self.big },
            Route(.get, "/parcels/page", "A page", rateLimit: .read) { _ in
                Reply(headers: [.contentType: "text/html"], json: Array("<p>".utf8))
            },
            Route(.get, "/parcels/flow", "A stream", rateLimit: .read) { _ in
                var reply = Reply(headers: [.contentType: "application/json"])
                reply.pieces = AsyncStream { $0.finish() }
                return reply
            },
            Route(.get, "/parcels/all", "Everything", rateLimit: .write, isBatchable: false) { _ in .json(JSONValue.null) },
        ]
    }

    private static var big: Reply { .json(JSONValue.string(String(repeating: "b", count: bigLength - 2))) }
}
