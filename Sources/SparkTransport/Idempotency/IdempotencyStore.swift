import Crypto
import Foundation
import GRDB
import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Answers kept under an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that a request that is sent again
/// takes effect once.
///
/// The key's row is written in the very transaction in which the request takes effect; the answer is added once it is known.
/// Answers may hold tokens, so they are sealed (AES-256-GCM) with a key that never is in the database.
final class IdempotencyStore: Sendable {
    /// How long an answer is kept.
    static let retention = Duration.days(1)
    static let keyLength = 1...128

    /// One keyed request.
    struct Request: Sendable {
        let owner: String
        let key: String
        /// SHA-256 over method, path and body.
        let hash: [UInt8]
    }

    private let storage: Storage
    private let key: SymmetricKey
    private let clock: any WallClock
    private let running = Mutex<Set<String>>([])

    init(storage: Storage, keys: ServerKeys, clock: any WallClock) {
        self.storage = storage
        self.key = keys.key(for: "idempotency")
        self.clock = clock
    }

    /// The answer of the first request with this key; runs `handler` if this is the first.
    /// - Throws: what `handler` throws (nothing is kept then), or `EdgeError` for a key in use or used for another request.
    func answer(_ request: Request, _ handler: () async throws -> Reply) async throws -> Reply {
        let name = "\(request.owner)\u{0}\(request.key)"
        guard running.withLock({ $0.insert(name).inserted }) else { throw EdgeError.idempotencyInProgress }
        defer { _ = running.withLock { $0.remove(name) } }
        if let kept = try kept(request) { return kept }
        let createdAt = clock.now()
        let reply = try await WriteAttachment.$current.withValue(
            WriteAttachment { database in
                try database.cachedStatement(
                    sql: """
                        INSERT OR IGNORE INTO spark_idempotency (owner, key, request_hash, created_at) VALUES (?, ?, ?, ?)
                        """
                ).execute(arguments: [request.owner, request.key, Data(request.hash), createdAt.milliseconds])
            }
        ) {
            try await handler()
        }
        let sealed = try seal(reply, for: request)
        try await storage.write { transaction in
            try transaction.database.cachedStatement(
                sql: """
                    INSERT INTO spark_idempotency (owner, key, request_hash, created_at, answer) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET answer = excluded.answer
                    """
            ).execute(
                arguments: [
                    request.owner, request.key, Data(request.hash), createdAt.milliseconds, Data(sealed),
                ])
        }
        return reply
    }

    /// Forgets what is older than the retention.
    func sweep() async throws {
        let limit = (clock.now() - Self.retention).milliseconds
        try await storage.write { transaction in
            try transaction.database.execute(
                sql: "DELETE FROM spark_idempotency WHERE created_at < ?", arguments: [limit])
        }
    }

    private func kept(_ request: Request) throws -> Reply? {
        let oldest = (clock.now() - Self.retention).milliseconds
        let row = try storage.pointRead { reader in
            try reader.row(
                "SELECT request_hash, answer FROM spark_idempotency WHERE owner = ?1 AND key = ?2 AND created_at >= ?3",
                .text(request.owner), .text(request.key), .integer(oldest)
            ) { row in (row.blob(0), row.isNull(1) ? nil : row.blob(1)) }
        }
        guard let (hash, answer) = row else { return nil }
        guard hash == request.hash else { throw EdgeError.idempotencyMismatch }
        guard let answer else { throw EdgeError.idempotencyAnswerLost }
        return try open(answer, for: request)
    }

    private func seal(_ reply: Reply, for request: Request) throws -> [UInt8] {
        var plain: [UInt8] = [UInt8(reply.status.code / 256), UInt8(reply.status.code % 256)]
        plain += reply.body
        let box = try AES.GCM.seal(plain, using: key, authenticating: associatedData(request))
        return Array(box.combined ?? Data())
    }

    private func open(_ sealed: [UInt8], for request: Request) throws -> Reply {
        let box = try AES.GCM.SealedBox(combined: sealed)
        let plain = Array(try AES.GCM.open(box, using: key, authenticating: associatedData(request)))
        guard plain.count >= 2 else { throw EdgeError.idempotencyAnswerLost }
        let status = HTTPResponse.Status(code: Int(plain[0]) * 256 + Int(plain[1]))
        return Reply(status, headers: [.idempotencyReplayed: "true"], json: Array(plain.dropFirst(2)))
    }

    private func associatedData(_ request: Request) -> [UInt8] { Array("\(request.owner)\u{0}\(request.key)".utf8) }
}
