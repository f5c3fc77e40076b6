import SparkCache
import SparkCore
import SparkKit

extension AccountsService {
    /// Hides the person at once and has everything erased when the grace is over, unless they log in before.
    /// - Returns: when that is.
    func close(_ user: UserID) async throws -> Timestamp {
        let now = clock.now()
        let participants = closures.all
        let closure = try await store.close(user, at: now, grace: configuration.eraseGrace) { work in
            for participant in participants { try participant.setClosed(true, user: user, in: work) }
        }
        guard let closure else { throw EdgeError.notFound }
        noteRevoked(closure.revoked, of: user)
        return closure.closedAt + configuration.eraseGrace
    }

    /// Done at least once; a second time finds nothing to do in the store. What the cache has of the person on the disk is
    /// overwritten before the job is done.
    func erase(_ job: ErasureJob) async throws {
        let isErased = try await store.erase(job)
        // Erased by an earlier try of this job, which may have ended before the cache was reached.
        guard try isErased || store.account(of: job.user) == nil else { return }
        await cache.erase(CacheTag.all(of: job.user))
    }

    /// Everything that is stored of a person.
    func export(_ user: UserID) async throws -> JSONValue {
        let now = clock.now()
        guard case .object(let members) = try await store.export(user) else { throw EdgeError.notFound }
        return .object([JSONMember("exported_at", .string("\(now)"))] + members)
    }
}
