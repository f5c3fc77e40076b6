import SparkCache
import SparkCore
import SparkKit

extension AccountsService {
    /// After so long the rest of an erasure is put behind the other jobs.
    private static let longestErasure = Duration.seconds(10)
    private static let longestRest = Duration.milliseconds(50)

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

    /// Done at least once, step by step, each in a short transaction: what is done is done, whatever ends the server, and the job goes
    /// on with the rest. A second time finds nothing to do in the store. What the cache has of the person on the disk is overwritten
    /// before the job is done.
    /// - Returns: whether all is erased; if not, a further job does the rest.
    @discardableResult func erase(_ job: ErasureJob) async throws -> Bool {
        let end = ContinuousClock.now + Self.longestErasure
        while true {
            let begin = ContinuousClock.now
            let isLast = begin >= end
            let outcome = try await store.erase(job, isLast: isLast)
            switch outcome {
            case .unfinished where isLast: return false
            case .unfinished:
                // Other writes come first: at most half of the writer's time is spent here.
                try await Task.sleep(for: min(ContinuousClock.now - begin, Self.longestRest))
                continue
            // Erased by an earlier try of this job, which may have ended before the cache was reached.
            case .obsolete where try store.account(of: job.user) != nil: return false
            case .obsolete, .finished:
                await cache.erase(userTags.tags(of: job.user))
                return true
            }
        }
    }

    /// Everything that is stored of a person, as it is read.
    /// - Throws: `AdmissionRefused` when the person has an export under way or had too many today, or the server has too many.
    func export(for principal: Principal) throws -> AsyncThrowingStream<[UInt8], any Error> {
        let permit = try admission.permit(for: .exports, person: principal.user)
        let store = store
        let export = PersonalExport(
            at: clock.now(), metrics: metrics, permit: permit,
            isOpen: { try store.isOpen(principal.session, of: principal.user) },
            read: { try await store.exportPiece(of: principal.user, at: $0, maximumBytes: $1) })
        return AsyncThrowingStream { try await export.next() }
    }

    /// The same for those who run the server: it depends on no session and counts against no limit.
    /// - Throws: `AccountsError.unknownAccount`.
    func exportForOperator(_ user: UserID) throws -> PersonalExport {
        guard try store.account(of: user) != nil else { throw AccountsError.unknownAccount }
        let store = store
        return PersonalExport(
            at: clock.now(), metrics: metrics, permit: nil, isOpen: { try store.account(of: user) != nil },
            read: { try await store.exportPiece(of: user, at: $0, maximumBytes: $1) })
    }
}
