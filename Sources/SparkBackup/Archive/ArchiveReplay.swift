public import Foundation
public import SparkCore
import SparkFiles

/// Restores states of the database from a backup and an archive.
public struct ArchiveReplay: Sendable {
    /// Which state is wanted.
    public enum Moment: Hashable, Sendable, CustomStringConvertible {
        /// The one after the last commit that is not later.
        case at(Timestamp)
        /// The last one that the archive has.
        case latest
        /// The one before the commit that brought the entry with this number into the operators' log.
        case beforeEntry(Int64)
        /// The one before the commit that brought the entry whose hash begins with these hexadecimal digits, in lower case.
        case beforeHash(String)

        public var description: String {
            switch self {
            case .at(let time): "\(time)"
            case .latest: "the last state"
            case .beforeEntry(let number): "the state before entry \(number) of the operators' log"
            case .beforeHash(let hash): "the state before the entry \(hash)… of the operators' log"
            }
        }

        /// For a state before an entry, the entry; nil for other moments.
        var entry: String? {
            switch self {
            case .at, .latest: nil
            case .beforeEntry(let number): "entry \(number) of the operators' log"
            case .beforeHash(let hash): "an entry of the operators' log whose hash begins with \(hash)"
            }
        }
    }

    /// A backup and what must be replayed on it.
    public struct Plan: Sendable {
        /// The backup to restore first.
        public let base: ArchiveBase
        /// The wanted state.
        public let moment: Moment
        /// The number of the last commit to replay; for an entry, the last one in the archive.
        public let commit: Int64
        let segments: [ArchiveCatalog.Stored]
        /// All that can be restored, in the order of time.
        let ranges: [ArchiveRange]
        /// The one that the plan is in.
        let range: ArchiveRange

        /// The bytes to fetch.
        public var bytes: Int64 { segments.map(\.bytes).clampedSum }
    }

    /// How many segments are fetched ahead, if they are small.
    private static let ahead = 8
    /// The most bytes that are fetched ahead.
    private static let mostBytesAhead: Int64 = 64 << 20
    /// How often a list is read anew because the archive's segments were merged meanwhile.
    private static let mostLists = 8

    /// An object that the list had is not there any more: it was merged, or deleted.
    private struct Gone: Error { var object: String }

    private let store: any BackupStore
    private let opening: (any BackupOpening)?
    private let scratch: URL
    private let requiresEncryption: Bool

    /// - Parameters:
    ///   - opening: Decrypts segments that are encrypted.
    ///   - requiresEncryption: Whether segments that are not encrypted are refused; nil for so if they can be decrypted.
    ///   - scratch: An existing folder for files that are removed again.
    public init(store: any BackupStore, opening: (any BackupOpening)?, requiresEncryption: Bool? = nil, scratch: URL) {
        (self.store, self.opening, self.scratch) = (store, opening, scratch)
        self.requiresEncryption = requiresEncryption ?? (opening != nil)
    }

    private func catalog() async throws -> ArchiveCatalog {
        try await ArchiveCatalog.read(store, prefersEncrypted: requiresEncryption)
    }

    /// Finds the backups from which a state can be restored.
    /// - Parameter bases: All backups that have positions in the archive.
    /// - Returns: Plans, the best first. For an entry, a plan may turn out to begin too late; then the next one is right.
    /// - Throws: `ArchiveError.outOfRange` or `.noEntry` with the possible ranges, other cases for damage; `BackupStoreError`.
    public func plans(for moment: Moment, bases: [ArchiveBase]) async throws -> [Plan] {
        for _ in 1..<Self.mostLists {
            do {
                return try await plans(for: moment, bases, in: catalog())
            } catch is Gone {
                // The next list has the pack.
            }
        }
        do {
            return try await plans(for: moment, bases, in: catalog())
        } catch let gone as Gone {
            throw ArchiveError.damaged(segment: gone.object, "it is gone")
        }
    }

    private func plans(for moment: Moment, _ bases: [ArchiveBase], in catalog: ArchiveCatalog) async throws -> [Plan] {
        let stretches = catalog.stretches(bases)
        let ranges = stretches.map(\.range)
        func plan(_ stretch: ArchiveCatalog.Stretch, _ base: ArchiveBase, _ commit: Int64) throws -> Plan {
            Plan(
                base: base, moment: moment, commit: commit,
                segments: try catalog.segments(of: base.from.generation, after: base.from.commit, upTo: commit), ranges: ranges,
                range: stretch.range)
        }
        switch moment {
        case .at(let time):
            for stretch in stretches.reversed() {
                guard let commit = try await commit(notAfter: time, in: stretch.segments) else { continue }
                guard let base = stretch.bases.first(where: { $0.to.commit <= commit }) else { continue }
                return [try plan(stretch, base, commit)]
            }
            let isLater = ranges.last?.missing == nil && !ranges.isEmpty && ranges.allSatisfy { $0.last < time }
            throw isLater ? ArchiveError.later("\(moment)", ranges) : ArchiveError.outOfRange("\(moment)", ranges)
        case .latest:
            guard let stretch = stretches.last, let base = stretch.bases.first else {
                throw ArchiveError.outOfRange("\(moment)", ranges)
            }
            // What follows the gap is later, and would be left out.
            if let missing = stretch.range.missing {
                throw ArchiveError.incomplete(generation: stretch.range.generation, after: missing - 1)
            }
            return [try plan(stretch, base, stretch.range.lastCommit)]
        case .beforeEntry, .beforeHash:
            let plans = try stretches.reversed().flatMap { stretch in
                try Self.bases(of: stretch, before: moment).map { try plan(stretch, $0, stretch.range.lastCommit) }
            }
            guard !plans.isEmpty else {
                throw ArchiveError.noEntry(moment.entry ?? "\(moment)", stretches.compactMap(\.entries), ranges)
            }
            return plans
        }
    }

    /// The backups from which an entry may be found, the best first. For a number those before it; a hash does not tell where it is.
    private static func bases(of stretch: ArchiveCatalog.Stretch, before moment: Moment) -> [ArchiveBase] {
        let early = stretch.bases.filter { $0.to.commit < stretch.range.lastCommit }
        if case .beforeEntry(let number) = moment { return early.filter { $0.lastEntry < number } }
        return Array(early.suffix(1))
    }

    /// The number of the last commit that is not later than a time; nil if the segments do not reach to the time, or begin after it.
    private func commit(notAfter time: Timestamp, in segments: ArraySlice<ArchiveCatalog.Stored>) async throws -> Int64? {
        guard segments.contains(where: { $0.name.last >= time.milliseconds }) else { return nil }
        var skipped: ArchiveCatalog.Stored?
        for segment in segments.reversed() {
            guard segment.name.first <= time.milliseconds else {
                skipped = segment
                continue
            }
            let file = try await fetch(segment)
            defer { try? FileManager.default.removeItem(at: file) }
            var (found, last): (Int64?, Int64) = (nil, 0)
            for part in try parts(of: segment, file) {
                let reader = try await part.reader()
                var commits: Int64 = SegmentHeader(reader.bytes[...])?.commits ?? 0
                let summary = try reader.read { record in
                    guard case .batch(let batch) = record else { return }
                    for made in batch.times {
                        commits += 1
                        if made <= time.milliseconds { found = commits }
                    }
                }
                try Self.compare(summary, part.name, reader.name)
                last = commits
            }
            if let found {
                // Its commits may be what was asked for, if its name is not the one that it was stored with.
                if let skipped, found == last { try await check(skipped) }
                return found
            }
        }
        return nil
    }

    /// Checks that a segment which was skipped by the times in its name has these times.
    private func check(_ segment: ArchiveCatalog.Stored) async throws {
        let file = try await fetch(segment)
        defer { try? FileManager.default.removeItem(at: file) }
        var times: [Int64] = []
        for part in try parts(of: segment, file) {
            let reader = try await part.reader()
            try Self.compare(try reader.read(), part.name, reader.name)
            times += [part.name.first, part.name.last]
        }
        guard times.min() == segment.name.first, times.max() == segment.name.last else {
            throw ArchiveError.damaged(segment: segment.object, "its name has other times")
        }
    }

    /// Compares the times in a segment's name with those in its trailer.
    private static func compare(_ summary: SegmentReader.Summary, _ name: SegmentName, _ object: String) throws {
        guard let trailer = summary.trailer, trailer.first == name.first, trailer.last == name.last else {
            throw ArchiveError.damaged(segment: object, "its name has other times")
        }
    }

    /// Replays the archive on a restored backup, up to the wanted state.
    /// - Parameters:
    ///   - database: The restored database file, which no connection has open. If this throws, it is of no use.
    ///   - undone: Gets the entry of the operators' log before which the state is.
    ///   - progress: Gets the number of replayed and of all segments.
    /// - Returns: The restored state.
    /// - Throws: `ArchiveError`, `.tooLate` if the next plan must be tried; `BackupStoreError`, `FileError`.
    public func run(
        _ plan: Plan, on database: URL, undone: @Sendable (LogEntry) -> Void = { _ in },
        progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> ArchivePosition {
        var run = try Run(plan, database)
        var fetched: [String: Task<URL, any Error>] = [:]
        do {
            try await replay(plan, &run, &fetched, progress)
        } catch {
            await Self.stop(fetched)
            throw error
        }
        await Self.stop(fetched)
        let position = try run.end()
        if let entry = run.undone { undone(entry) }
        return position
    }

    /// Returns when none of them writes into the folder any more, so that it can be removed.
    private static func stop(_ fetched: [String: Task<URL, any Error>]) async {
        for task in fetched.values { task.cancel() }
        for task in fetched.values { _ = await task.result }
    }

    private func replay(
        _ plan: Plan, _ run: inout Run, _ fetched: inout [String: Task<URL, any Error>], _ progress: @Sendable (Int, Int) -> Void
    ) async throws {
        var waiting = plan.segments[...]
        var (done, lists) = (0, 0)
        while let next = waiting.first, !run.isDone {
            var bytes: Int64 = 0
            for segment in waiting.prefix(Self.ahead) {
                bytes += segment.bytes
                if segment != next, bytes > Self.mostBytesAhead { break }
                if fetched[segment.object] == nil { fetched[segment.object] = Task { try await fetch(segment) } }
            }
            let file: URL
            do {
                guard let found = try await fetched[next.object]?.value else { break }
                file = found
            } catch let gone as Gone {
                // It was merged with others meanwhile: the next list has the pack.
                lists += 1
                guard lists <= Self.mostLists else { throw ArchiveError.damaged(segment: gone.object, "it is gone") }
                await Self.stop(fetched)
                fetched = [:]
                let replayed = run.number
                waiting = try await catalog()
                    .segments(of: plan.base.from.generation, after: plan.base.from.commit, upTo: plan.commit)
                    .filter { $0.name.number > replayed }[...]
                continue
            }
            defer { try? FileManager.default.removeItem(at: file) }
            fetched[next.object] = nil
            waiting.removeFirst()
            let replayed = run.number
            for part in try parts(of: next, file) where part.name.number > replayed && !run.isDone {
                let reader = try await part.reader()
                try run.replay(reader, part.name)
            }
            done += 1
            lists = 0
            progress(min(done, plan.segments.count), plan.segments.count)
        }
    }

    private func fetch(_ segment: ArchiveCatalog.Stored) async throws -> URL {
        let name = "\(segment.name.generation)-\(segment.firstNumber)-\(segment.name.number)"
        let file = scratch.appending(path: "\(name).fetched")
        // What an attempt before left.
        try? FileManager.default.removeItem(at: file)
        do {
            try await store.get(segment.object, into: file)
        } catch BackupStoreError.missing {
            throw Gone(object: segment.object)
        }
        return file
    }

    /// A segment in a fetched file, which is a segment or a pack of them.
    private struct Part {
        let name: SegmentName
        /// The segment's own object, whether or not it is in a pack.
        let object: String
        let file: URL
        let opening: (any BackupOpening)?
        let requiresEncryption: Bool
        let entry: (pack: SegmentPackReader, entry: SegmentPackReader.Entry)?

        /// Copies, decrypts and reads the segment.
        func reader() async throws -> SegmentReader {
            let (copy, opened) = (file.appendingPathExtension("copy"), file.appendingPathExtension("opened"))
            defer { for file in [copy, opened] { try? FileManager.default.removeItem(at: file) } }
            if let entry { try entry.pack.copy(entry.entry, into: copy) }
            let source = entry == nil ? file : copy
            guard !object.hasSuffix(SegmentName.suffix) else {
                guard !requiresEncryption else { throw ArchiveError.damaged(segment: object, BackupError.mayBeForged) }
                return try SegmentReader(source, name: object)
            }
            guard let opening else {
                throw ArchiveError.unusable("\(object) is encrypted: name the file with the key")
            }
            do {
                try await LogArchive.blocking { try opening.open(source, into: opened) }
            } catch BackupError.damaged(let text) {
                throw ArchiveError.damaged(segment: object, text)
            }
            return try SegmentReader(opened, name: object)
        }
    }

    /// The segments of a fetched object.
    private func parts(of segment: ArchiveCatalog.Stored, _ file: URL) throws -> [Part] {
        guard segment.isPack, let name = SegmentPackName(object: segment.object) else {
            return [
                Part(
                    name: segment.name, object: segment.object, file: file, opening: opening,
                    requiresEncryption: requiresEncryption,
                    entry: nil)
            ]
        }
        let pack = try SegmentPackReader(file, name, object: segment.object)
        return pack.entries.map { entry in
            Part(
                name: entry.name, object: "\(SegmentName.folder)/\(entry.name.generation)/\(entry.file)", file: file,
                opening: opening, requiresEncryption: requiresEncryption, entry: (pack, entry))
        }
    }
}

extension ArchiveReplay {
    /// One replay under way.
    private struct Run: ~Copyable {
        private let plan: Plan
        private var database: ReplayedDatabase
        private var last: SegmentReader.Summary?
        /// The number of commits that were replayed, or are in the backup.
        private var commits: Int64
        /// The last commit in the database.
        private var position: ArchivePosition
        private(set) var isDone = false
        /// The entry whose commit was taken back.
        private(set) var undone: LogEntry?
        /// The number of the last entry in the state that was replayed last; that of the backup before.
        private var entries: Int64
        /// The number of the last segment that was replayed; 0 for none.
        var number: Int64 { last?.header.number ?? 0 }

        init(_ plan: Plan, _ file: URL) throws {
            self.plan = plan
            self.position = plan.base.to
            self.commits = plan.base.from.commit
            self.entries = plan.base.lastEntry
            self.database = try ReplayedDatabase(file, keepsUndo: plan.moment.entry != nil)
        }

        mutating func replay(_ reader: SegmentReader, _ name: SegmentName) throws {
            guard let header = SegmentHeader(reader.bytes[...]) else {
                throw ArchiveError.damaged(segment: reader.name, "its header is wrong")
            }
            guard header.generation == name.generation, header.number == name.number else {
                throw ArchiveError.damaged(segment: reader.name, "it is another segment")
            }
            if let last, last.trailer?.digest != header.previous || last.commits != header.commits {
                throw ArchiveError.damaged(segment: reader.name, "it does not continue the segment before")
            }
            guard last != nil || header.commits <= plan.base.from.commit else {
                throw ArchiveError.incomplete(generation: name.generation, after: header.number - 1)
            }
            guard header.pageSize == database.pageSize else {
                throw ArchiveError.unusable("the archive does not fit the backup: its pages have another size")
            }
            commits = header.commits
            let summary = try reader.read { record in
                if case .batch(let batch) = record { try apply(batch, header.pageSize) }
            }
            guard summary.commits == name.commits else {
                throw ArchiveError.damaged(segment: reader.name, "its name has another number of commits")
            }
            try ArchiveReplay.compare(summary, name, reader.name)
            last = summary
        }

        private mutating func apply(_ batch: SegmentBatch, _ size: Int) throws {
            var ended = 0
            for (index, frame) in batch.frames.enumerated() where !isDone {
                if plan.moment.entry == nil, commits >= plan.commit { isDone = true }
                if isDone { return }
                try database.write(frame.page, batch.pages[(index * size)..<((index + 1) * size)])
                guard frame.databasePages != 0 else { continue }
                commits += 1
                database.commit(pages: frame.databasePages)
                let made = ArchivePosition(
                    generation: plan.base.to.generation, commit: commits, at: Timestamp(milliseconds: batch.times[ended]))
                ended += 1
                if plan.moment.entry != nil { try lookForEntry() }
                if !isDone { position = made }
            }
        }

        /// Takes the commit back that brought the entry. Until the backup is reached, the pages are of different moments.
        private mutating func lookForEntry() throws {
            guard commits >= plan.base.to.commit else { return database.begin() }
            let found = try database.lastEntry()
            if commits == plan.base.to.commit {
                if case .beforeEntry(let number) = plan.moment, found >= number {
                    throw ArchiveError.tooLate(backup: plan.base.name, "\(plan.moment)")
                }
                entries = found
                return database.begin()
            }
            guard let entry = try entry(upTo: found) else {
                entries = max(entries, found)
                return database.begin()
            }
            try database.takeBack()
            undone = entry
            isDone = true
        }

        /// The wanted entry, if this commit brought it.
        private func entry(upTo found: Int64) throws -> LogEntry? {
            guard found > entries else { return nil }
            switch plan.moment {
            case .at, .latest: return nil
            case .beforeEntry(let number):
                guard entries < number, number <= found else { return nil }
                return try database.entry(number)
            case .beforeHash(let hash):
                // No commit brings as many.
                for number in max(entries + 1, found - 10_000)...found {
                    if let entry = try database.entry(number), entry.hash.hasPrefix(hash) { return entry }
                }
                return nil
            }
        }

        mutating func end() throws -> ArchivePosition {
            if let entry = plan.moment.entry {
                guard isDone else {
                    let brought = entries > plan.base.lastEntry ? [(plan.base.lastEntry + 1)...entries] : []
                    throw ArchiveError.noEntry(entry, brought, plan.ranges)
                }
            } else {
                guard commits >= plan.commit else {
                    throw ArchiveError.incomplete(generation: plan.base.to.generation, after: last?.header.number ?? 0)
                }
            }
            try database.end()
            return position
        }
    }
}
