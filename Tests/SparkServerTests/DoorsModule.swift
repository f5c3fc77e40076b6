import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage

/// A module whose users are their own tokens, with a route for each way to write.
struct Doors: SparkModule, Authenticating {
    static let manifest = ModuleManifest(
        id: "doors", summary: "Opens",
        migrations: [Migration("doors.001_knocks", sql: "CREATE TABLE doors_knocks (id INTEGER PRIMARY KEY) STRICT")],
        tables: [.plain("doors_knocks")])
    private let storage: any Storage

    init(configuration: NoConfiguration, context: ModuleContext) { storage = context.storage }

    func authenticate(token: String) async throws -> Principal {
        guard let user = UserID(wire: token) else { throw EdgeError.unauthenticated }
        return Principal(user: user, session: SessionID(rawValue: 1), expiresAt: Timestamp(milliseconds: .max))
    }

    static func token(_ number: Int64) -> String { UserID(rawValue: number).wire }

    private func knock() async throws -> Int64 {
        try await storage.write { transaction in
            let id = try transaction.value("INSERT INTO doors_knocks DEFAULT VALUES RETURNING id", as: Int64.self)
            return id ?? 0
        }
    }

    struct Refused: ClientError {
        let code = "doors.refused"
        let status = 403
        let detail = "No."
    }

    private struct Broken: Error {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.provide((any Authenticating).self, self)
        registrar.route(
            Route(.get, "/doors", "Looks", rateLimit: .read) { _ in Reply(json: Array("{}".utf8), entityTag: "look") })
        registrar.route(
            Route(.post, "/doors", "Knocks", rateLimit: .write, status: .created) { _ in
                let id = try await knock()
                return Reply(
                    .created, headers: [.location: "/doors/\(id)"], json: Array("{\"id\":\(id)}".utf8), entityTag: "tag-\(id)")
            })
        registrar.route(
            Route(.delete, "/doors/last", "Undoes the last knock", rateLimit: .write, status: .noContent) { _ in
                try await storage.write { transaction in
                    try transaction.session.script("DELETE FROM doors_knocks WHERE id = (SELECT MAX(id) FROM doors_knocks)")
                }
                return .noContent
            })
        registrar.route(
            Route(.put, "/doors/refuse", "Knocks, then refuses", rateLimit: .write) { _ in
                _ = try await knock()
                throw Refused()
            })
        registrar.route(
            Route(.patch, "/doors/break", "Knocks, then breaks", rateLimit: .write) { _ in
                _ = try await knock()
                throw Broken()
            })
        registrar.route(
            Route(.post, "/doors/twice", "Knocks twice", rateLimit: .write) { _ in
                let first = try await knock()
                return .json(["ids": [.integer(first), .integer(try await knock())]] as JSONValue)
            })
        registrar.route(
            Route(.post, "/doors/stream", "Streams", rateLimit: .write, idempotency: .refused) { _ in
                var reply = Reply()
                reply.pieces = AsyncStream { $0.finish() }
                return reply
            })
        registrar.route(
            Route(
                .post, "/doors/enter", "Lets anybody in", access: .open, rateLimit: .write,
                body: SchemaReference("Any", .anyValue)
            ) { _ in
                .json(["ticket": .integer(try await knock())] as JSONValue, .created)
            })
        registrar.route(
            Route(.post, "/doors/guess", "Guesses", access: .open, rateLimit: .credentials) { _ in throw EdgeError.unauthenticated
            })
    }
}
