import Foundation
import SparkCore
import SparkFiles

/// Restores a moment between backups: the right backup, and on it what the archive has since.
public struct ArchiveRestoration: Sendable {
    /// What was restored.
    public struct Result<Outcome: Sendable>: Sendable {
        /// The backup.
        public let manifest: BackupManifest
        /// What checked and completed the directory.
        public let outcome: Outcome
        /// The restored state; nil for that of the backup.
        public let position: ArchivePosition?
        /// The entry of the operators' log before which the state is; nil for other moments.
        public let undone: LogEntry?

        /// Creates a result.
        public init(manifest: BackupManifest, outcome: Outcome, position: ArchivePosition?, undone: LogEntry?) {
            (self.manifest, self.outcome, self.position, self.undone) = (manifest, outcome, position, undone)
        }
    }

    private let restoration: Restoration
    private let progress: @Sendable (Int, Int) -> Void

    /// - Parameters:
    ///   - restoration: Where from, where to, and the keys. Its backup is chosen by the moment.
    ///   - progress: Gets the number of replayed and of all segments.
    public init(_ restoration: Restoration, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }) {
        (self.restoration, self.progress) = (restoration, progress)
    }

    /// Restores, and puts the directory in place only if `finish` returns.
    /// - Throws: `BackupError`, for a moment that cannot be restored with those that can; what `finish` throws; `CancellationError`.
    ///   Nothing is left then.
    public func run<Outcome: Sendable>(
        _ moment: ArchiveReplay.Moment, finish: @escaping Restoration.Finish<Outcome>
    ) async throws -> Result<Outcome> {
        do {
            // Decrypted segments are never anywhere but beside the new directory, where the next restoration removes what stays.
            let directory = restoration.directory
            let scratch = try await BlockingWork.run { try RestorationScratch(for: directory) }
            defer { scratch.remove() }
            return try await run(moment, scratch.folder, finish)
        } catch let error as ArchiveError {
            if case .damaged = error { throw BackupError.damaged("\(error)") }
            if case .incomplete = error { throw BackupError.damaged("\(error)") }
            throw BackupError.refused("\(error)")
        } catch {
            throw BackupError.of(error, during: "restore from \(restoration.store.description)")
        }
    }

    private func run<Outcome: Sendable>(
        _ moment: ArchiveReplay.Moment, _ scratch: URL, _ finish: @escaping Restoration.Finish<Outcome>
    ) async throws -> Result<Outcome> {
        let requiresEncryption = restoration.requiresEncryption
        let replay = ArchiveReplay(
            store: restoration.store, opening: restoration.opening, requiresEncryption: requiresEncryption, scratch: scratch)
        let all = try await BackupCatalog(restoration.store).entries()
        let entries = BackupCatalog.Entry.split(all, now: restoration.clock.now()).usual.filter { entry in
            entry.isComplete && (!requiresEncryption || entry.manifest?.isEncrypted == true)
        }
        let bases = entries.compactMap { $0.manifest?.archiveBase }
        if moment == .latest, let newest = entries.last, bases.isEmpty {
            return try await restore(newest, "the place has no archive for its backups", finish)
        }
        var plans: [ArchiveReplay.Plan]
        do {
            plans = try await replay.plans(for: moment, bases: bases)
        } catch let error as ArchiveError where requiresEncryption && all.contains(where: { $0.manifest?.isEncrypted == false }) {
            switch error {
            case .damaged, .incomplete: throw error
            default:
                throw BackupError.refused(
                    "\(error); backups and segments that are not encrypted are left out: --allow-unencrypted")
            }
        }
        if moment == .latest, let newest = entries.last, let range = plans.first?.range, newest.takenAt > range.last,
            newest.manifest?.archiveBase?.to.generation != range.generation
        {
            return try await restore(newest, "the newest backup is later than the archive", finish)
        }
        if moment.entry != nil, Set(plans.map(\.range)).count > 1 { plans = try await found(moment, plans) }
        var tooLate: ArchiveError?
        for plan in plans {
            let (job, result) = replaying(plan)
            do {
                let (manifest, outcome) = try await job.run(finish: finish)
                return Result(manifest: manifest, outcome: outcome, position: result.position, undone: result.undone)
            } catch ArchiveError.tooLate(let backup, let text) {
                tooLate = .tooLate(backup: backup, text)
            }
        }
        throw tooLate ?? ArchiveError.outOfRange("\(moment)", [])
    }

    /// Restores a backup as it is.
    private func restore<Outcome: Sendable>(
        _ entry: BackupCatalog.Entry, _ reason: String, _ finish: @escaping Restoration.Finish<Outcome>
    ) async throws -> Result<Outcome> {
        restoration.note("\(reason), so the state is that of the backup")
        var job = restoration
        job.name = entry.name.text
        let (manifest, outcome) = try await job.run(finish: finish)
        return Result(manifest: manifest, outcome: outcome, position: nil, undone: nil)
    }

    /// A restoration of the plan's backup that replays the plan on it, and what the replay finds.
    private func replaying(_ plan: ArchiveReplay.Plan) -> (Restoration, ReplayResult) {
        let (store, opening, progress, result) = (restoration.store, restoration.opening, progress, ReplayResult())
        let requiresEncryption = restoration.requiresEncryption
        var job = restoration
        job.name = plan.base.name
        job.advance = { database, _ in
            let folder = database.deletingLastPathComponent().deletingLastPathComponent().appending(path: "segments")
            try DurableFile.makeDirectory(folder.path, isLasting: false)
            defer { try? FileManager.default.removeItem(at: folder) }
            let replay = ArchiveReplay(
                store: store, opening: opening, requiresEncryption: requiresEncryption, scratch: folder)
            result.set(try await replay.run(plan, on: database, undone: { result.set(undone: $0) }, progress: progress))
        }
        return (job, result)
    }

    /// The plan for an entry that may be in several histories, of which each is restored and replayed in a folder that is removed again.
    /// - Throws: `ArchiveError.noEntry`, `.ambiguous`.
    private func found(_ moment: ArchiveReplay.Moment, _ plans: [ArchiveReplay.Plan]) async throws -> [ArchiveReplay.Plan] {
        var found: [(plan: ArchiveReplay.Plan, entry: LogEntry)] = []
        var brought: [ClosedRange<Int64>] = []
        var failure: (any Error)?
        var searched: Set<ArchiveRange> = []
        for plan in plans where !searched.contains(plan.range) {
            let (job, result) = replaying(plan)
            do {
                _ = try await job.rehearse { _, _ in }
                if let entry = result.undone { found.append((plan, entry)) }
            } catch ArchiveError.tooLate {
                continue
            } catch ArchiveError.noEntry(_, let entries, _) {
                brought += entries
            } catch let error where Self.isDamage(error) {
                restoration.note("the archive \(plan.range.generation) could not be searched: \(error)")
                failure = error
            }
            searched.insert(plan.range)
        }
        let entries = Dictionary(found.map { ($0.entry, $0.plan) }) { first, _ in first }
        guard entries.count < 2 else {
            throw ArchiveError.ambiguous(moment.entry ?? "\(moment)", entries.keys.sorted { $0.at < $1.at })
        }
        guard let plan = entries.values.first else {
            throw failure ?? ArchiveError.noEntry(moment.entry ?? "\(moment)", brought, plans.first?.ranges ?? [])
        }
        return [plan]
    }

    private static func isDamage(_ error: any Error) -> Bool {
        switch error {
        case ArchiveError.damaged, ArchiveError.incomplete, BackupError.damaged: true
        default: false
        }
    }
}
