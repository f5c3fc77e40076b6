import Crypto
import Foundation
import HTTPTypes
import SparkCore
package import SparkKit
import SparkStorage
import Synchronization

/// Stores responses under an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that a repeated request takes
/// effect once.
///
/// A signed-in user's keys belong to that user. Before login no user owns a key, so the name consists of the key, the network and
/// the whole request: another network or another request never finds the response, and never learns that there is one.
///
/// The key's row is written in the same transaction in which the request takes effect; the response is added once it is known. A
/// handler's refusal (4xx) is not stored, and the client may repeat the request. After any other failure it is unknown what took
/// effect, so the key stays used. Responses may hold tokens, so they are sealed (AES-256-GCM); requests may hold passwords, so
/// their hashes are keyed. Neither of the two secrets is in the database.
///
/// A response with tokens is returned again only while the tokens work. After a logout, a new password, a suspension or a
/// deletion they are useless, and using a used refresh token would end its session. The key still stays used. Erasing the
/// user erases the stored response too.
package final class IdempotencyStore: Sendable {
    /// How long a response is kept.
    static let retention = Duration.days(1)
    static let keyLength = 1...128

    /// The parts of a request that are compared.
    struct Content: Sendable {
        let method: String
        /// Path and query.
        let target: String
        /// The value of `If-Match`.
        let precondition: String?
        let body: [UInt8]
    }

    /// A request with an idempotency key.
    struct Request: Sendable {
        fileprivate let owner: String
        fileprivate let key: String
        /// HMAC-SHA256 over the content.
        fileprivate let hash: [UInt8]
        fileprivate let isGrant: Bool
    }

    /// Responses are sealed, so there is nothing to export. They are erased with the user, not a day later.
    package static let table = TableDeclaration.userLinked(
        "spark_idempotency", export: { _, _ in [] },
        erase: { session, user in
            try session.run("DELETE FROM spark_idempotency WHERE owner = ?", user.wire)
            // A key from before login belongs to no user: it stays used, only its response is erased.
            try session.run("UPDATE spark_idempotency SET answer = NULL, holder = NULL WHERE holder = ?", user.rawValue)
        })

    private let storage: any Storage
    private let key: SymmetricKey
    private let hashKey: SymmetricKey
    private let clock: any WallClock
    private let grants: (any GrantLiveness)?
    private let running = Mutex<Set<String>>([])

    /// - Parameter grants: checks whether tokens still work; nil where no module issues tokens.
    init(storage: any Storage, keys: ServerKeys, clock: any WallClock, grants: (any GrantLiveness)? = nil) {
        self.storage = storage
        self.key = keys.key(for: "idempotency")
        self.hashKey = keys.key(for: "idempotency.request")
        self.clock = clock
        self.grants = grants
    }

    /// A signed-in user's request.
    func request(of user: UserID, key: String, _ content: Content, isGrant: Bool) -> Request {
        Request(owner: user.wire, key: key, hash: hash(content), isGrant: isGrant)
    }

    /// A request without a signed-in user.
    /// - Parameter network: the client's network, as limits count it.
    func request(from network: NetworkAddress?, key: String, _ content: Content, isGrant: Bool) -> Request {
        let hash = hash(content)
        let scope = Self.hash([Array((network?.text ?? "").utf8), Array(key.utf8), hash], key: hashKey)
        return Request(owner: "open \(Base64URL.encode(scope))", key: key, hash: hash, isGrant: isGrant)
    }

    private func hash(_ content: Content) -> [UInt8] {
        let words = [content.method, content.target, content.precondition ?? ""]
        return Self.hash(words.map { Array($0.utf8) } + [content.body], key: hashKey)
    }

    /// Hashes each part with its length, so that two different lists never hash the same text.
    private static func hash(_ parts: [[UInt8]], key: SymmetricKey) -> [UInt8] {
        var hash = HMAC<SHA256>(key: key)
        for part in parts {
            hash.update(data: withUnsafeBytes(of: UInt64(part.count).littleEndian) { Array($0) })
            hash.update(data: part)
        }
        return Array(hash.finalize())
    }

    /// The response of the first request with this key; runs `handler` if this is the first.
    /// - Throws: what `handler` throws, or an `EdgeError` for a key that is in use, was used for another request, or was used
    ///   without a known response.
    func answer(_ request: Request, _ handler: () async throws -> Reply) async throws -> Reply {
        let name = "\(request.owner)\u{0}\(request.key)"
        guard running.withLock({ $0.insert(name).inserted }) else { throw EdgeError.idempotencyInProgress }
        defer { _ = running.withLock { $0.remove(name) } }
        if let kept = try await kept(request) { return kept }
        let createdAt = clock.now()
        let reply: Reply
        do {
            reply = try await WriteAttachment.$current.withValue(
                WriteAttachment { session in
                    try session.run(
                        """
                        INSERT INTO spark_idempotency (owner, key, request_hash, created_at) VALUES (?, ?, ?, ?)
                        ON CONFLICT (owner, key) DO NOTHING
                        """, request.owner, request.key, request.hash, createdAt.milliseconds)
                }
            ) {
                try await handler()
            }
        } catch let error as any ClientError where error.status < 500 {
            try await release(request)
            throw error
        }
        let holder = try await request.isGrant ? grants?.holder(of: reply.body) : nil
        let sealed = try KeptAnswer(reply).sealed(with: key, for: associatedData(request))
        try await storage.write { transaction in
            try transaction.session.run(
                """
                INSERT INTO spark_idempotency (owner, key, request_hash, created_at, answer, holder)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (owner, key) DO UPDATE SET answer = excluded.answer, holder = excluded.holder
                """, request.owner, request.key, request.hash, createdAt.milliseconds, sealed, holder?.rawValue)
        }
        return reply
    }

    /// Frees the key of a request that was refused after it had written something, such as a failed attempt.
    private func release(_ request: Request) async throws {
        let isThere = try await storage.pointRead { session in
            try session.row(
                "SELECT 1 FROM spark_idempotency WHERE owner = ?1 AND key = ?2 AND answer IS NULL", request.owner, request.key
            ) { _ in true }
        }
        guard isThere == true else { return }
        try await storage.write { transaction in
            try transaction.session.run(
                "DELETE FROM spark_idempotency WHERE owner = ? AND key = ? AND answer IS NULL", request.owner, request.key)
        }
    }

    /// When the next response is past its retention; nil if there is none.
    func nextExpiry() async throws -> Timestamp? {
        let oldest = try await storage.read { session in
            try session.value("SELECT MIN(created_at) FROM spark_idempotency", as: Timestamp.self)
        }
        return oldest.map { $0 + Self.retention + .milliseconds(1) }
    }

    /// Deletes responses older than the retention.
    func sweep() async throws {
        let limit = (clock.now() - Self.retention).milliseconds
        try await storage.write { transaction in
            try transaction.session.run("DELETE FROM spark_idempotency WHERE created_at < ?", limit)
        }
    }

    private func kept(_ request: Request) async throws -> Reply? {
        let oldest = (clock.now() - Self.retention).milliseconds
        let row = try await storage.pointRead { session in
            try session.row(
                "SELECT request_hash, answer FROM spark_idempotency WHERE owner = ?1 AND key = ?2 AND created_at >= ?3",
                request.owner, request.key, oldest
            ) { row in (row.blob(0), row.isNull(1) ? nil : row.blob(1)) }
        }
        guard let (hash, answer) = row else { return nil }
        guard hash == request.hash else { throw EdgeError.idempotencyMismatch }
        guard let answer else { throw EdgeError.idempotencyAnswerLost }
        let reply = try KeptAnswer(sealed: answer, with: key, for: associatedData(request)).reply
        if request.isGrant, try await grants?.holder(of: reply.body) == nil { throw EdgeError.idempotencyAnswerEnded }
        return reply
    }

    private func associatedData(_ request: Request) -> [UInt8] { Array("\(request.owner)\u{0}\(request.key)".utf8) }
}
