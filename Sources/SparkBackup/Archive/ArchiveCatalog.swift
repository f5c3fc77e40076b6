public import SparkCore

/// What a store has of an archive, from the names of its objects.
public struct ArchiveCatalog: Sendable {
    /// A segment in the store, or a pack of them.
    struct Stored: Hashable, Sendable {
        /// Of a pack, the number and the end of its last segment, and the times of all.
        var name: SegmentName
        var object: String
        var bytes: Int64
        /// Another number than that of the name for a pack.
        var firstNumber: Int64
        var isPack: Bool

        /// Nil for any other object.
        init?(_ object: StoredObject) {
            (self.object, self.bytes) = (object.name, object.size)
            if let name = SegmentName(object: object.name) {
                (self.name, self.firstNumber, self.isPack) = (name, name.number, false)
            } else if let pack = SegmentPackName(object: object.name) {
                (self.name, self.firstNumber, self.isPack) = (pack.name, pack.firstNumber, true)
            } else {
                return nil
            }
        }
    }

    /// The segments of each generation, in their order, each once.
    let generations: [String: [Stored]]
    /// Every object. A segment that was stored again after the keys for encryption changed has two.
    private let objects: [String: [Stored]]

    /// Reads the names.
    /// - Parameter prefersEncrypted: whether a segment without encryption is left out if there is an encrypted one of its number.
    /// - Throws: `BackupStoreError`.
    public static func read(_ store: any BackupStore, prefersEncrypted: Bool = false) async throws -> ArchiveCatalog {
        let objects = try await store.list("\(SegmentName.folder)/")
        return ArchiveCatalog(prefersEncrypted ? withoutTwins(objects) : objects)
    }

    /// Without the segments that everybody can read and that are there with encryption as well.
    private static func withoutTwins(_ objects: [StoredObject]) -> [StoredObject] {
        struct Number: Hashable {
            let generation: String
            let number: Int64
        }
        func number(_ object: StoredObject) -> Number? {
            SegmentName(object: object.name).map { Number(generation: $0.generation, number: $0.number) }
        }
        let encrypted = Set(objects.filter { !$0.name.hasSuffix(SegmentName.suffix) }.compactMap(number))
        return objects.filter { object in
            !object.name.hasSuffix(SegmentName.suffix) || !(number(object).map(encrypted.contains) ?? false)
        }
    }

    init(_ objects: [StoredObject]) {
        var generations: [String: [Stored]] = [:]
        for object in objects {
            guard let stored = Stored(object) else { continue }
            generations[stored.name.generation, default: []].append(stored)
        }
        // Packs before what is in them, and a segment without encryption, which everybody can read, before the same with it.
        self.objects = generations.mapValues { objects in
            objects.sorted { ($0.firstNumber, -$0.name.number, $0.object) < ($1.firstNumber, -$1.name.number, $1.object) }
        }
        self.generations = self.objects.mapValues { objects in
            var seen: Set<SegmentName> = []
            var packed: Int64 = 0
            return objects.filter { object in
                guard object.name.number > packed else { return false }
                if object.isPack { packed = object.name.number }
                return object.isPack || seen.insert(object.name).inserted
            }
        }
    }

    /// Every object of a generation.
    func objects(in generation: String) -> [Stored] { objects[generation] ?? [] }

    /// The objects of segments that are in a pack as well.
    func packed(in generation: String) -> [String] {
        let packs = generations[generation]?.filter(\.isPack).map { $0.firstNumber...$0.name.number } ?? []
        return objects(in: generation).filter { object in !object.isPack && packs.contains { $0.contains(object.name.number) } }
            .map(\.object)
    }

    /// Segments of one generation that follow each other, with the backups on which they can be replayed.
    struct Stretch: Sendable {
        /// The newest backup first. Each is as early as the last segment.
        let bases: [ArchiveBase]
        let segments: ArraySlice<Stored>
        let range: ArchiveRange

        /// The numbers of the entries of the operators' log that its commits brought, as far as the backups show it; nil if they do not.
        var entries: ClosedRange<Int64>? {
            guard let first = bases.last?.lastEntry, let last = bases.first?.lastEntry, first < last else { return nil }
            return (first + 1)...last
        }
    }

    /// The moments that can be restored with these backups, in the order of time.
    public func ranges(_ bases: [ArchiveBase]) -> [ArchiveRange] { stretches(bases).map(\.range) }

    /// What can be replayed on these backups, in the order of time.
    func stretches(_ bases: [ArchiveBase]) -> [Stretch] {
        Set(bases.map(\.from.generation)).sorted().flatMap { generation in
            let runs = runs(of: generation)
            let own = bases.filter { $0.from.generation == generation }
                .map { (base: $0, run: Self.run(from: $0, in: runs)) }
            return runs.indices.compactMap { index -> Stretch? in
                let run = runs[index]
                guard let end = run.last else { return nil }
                let fitting = own.filter { $0.run == index && $0.base.to.commit <= end.name.commits }.map(\.base)
                    .sorted { ($0.to.commit, $0.name) > ($1.to.commit, $1.name) }
                guard let first = fitting.last else { return nil }
                let range = ArchiveRange(
                    generation: generation, first: first.to.at,
                    last: Timestamp(milliseconds: max(end.name.last, first.to.at.milliseconds)),
                    lastCommit: end.name.commits, segments: run.count, bytes: run.map(\.bytes).clampedSum,
                    missing: index + 1 < runs.count ? end.name.number + 1 : nil)
                return Stretch(bases: fitting, segments: run, range: range)
            }
        }
    }

    /// The segments of a generation, cut where some are missing.
    private func runs(of generation: String) -> [ArraySlice<Stored>] {
        let all = generations[generation] ?? []
        var runs: [ArraySlice<Stored>] = []
        var start = 0
        for index in all.indices.dropFirst() where all[index].firstNumber > all[index - 1].name.number + 1 {
            runs.append(all[start..<index])
            start = index
        }
        return all.isEmpty ? [] : runs + [all[start...]]
    }

    /// In which of the runs a replay on a backup begins; nil if what it needs first may be missing.
    private static func run(from base: ArchiveBase, in runs: [ArraySlice<Stored>]) -> Int? {
        guard let index = runs.firstIndex(where: { ($0.last?.name.commits ?? 0) >= base.from.commit }) else { return nil }
        guard index > 0, let first = runs[index].first, first.name.commits >= base.from.commit else { return index }
        return nil
    }

    /// The number of a segment that is missing; nil if none is.
    /// - Parameter last: The number of the last segment that was stored.
    func missing(in generation: String, upTo last: Int64) -> Int64? {
        let runs = runs(of: generation)
        guard let end = runs.last?.last?.name.number else { return last }
        if end < last { return end + 1 }
        return runs.dropLast().last?.last.map { $0.name.number + 1 }
    }

    /// The segments for a replay from one commit to another.
    /// - Throws: `ArchiveError.incomplete`, `.damaged` if two objects are the same segment.
    func segments(of generation: String, after commit: Int64, upTo last: Int64) throws -> [Stored] {
        let all = generations[generation] ?? []
        // The first one in which the commit ends: what follows the commit may begin in it.
        guard let first = all.firstIndex(where: { $0.name.commits >= commit }) else {
            if last <= commit { return [] }
            throw ArchiveError.incomplete(generation: generation, after: all.last?.name.number ?? 0)
        }
        guard let end = all.firstIndex(where: { $0.name.commits >= last }) else {
            throw ArchiveError.incomplete(generation: generation, after: all.last?.name.number ?? 0)
        }
        let found = Array(all[first...max(first, end)])
        for (one, next) in zip(found, found.dropFirst()) {
            guard one.name.number != next.name.number else {
                throw ArchiveError.damaged(segment: next.object, "there are two of its number")
            }
            guard next.firstNumber <= one.name.number + 1 else {
                throw ArchiveError.incomplete(generation: generation, after: one.name.number)
            }
        }
        return found
    }

    /// How long a generation may have no backup before its segments are deleted.
    private static let patience = Duration.hours(24)

    /// Deletes the segments that no backup needs: those before the oldest backup of their generation, and after a day those of
    /// generations that have no backup.
    /// - Parameters:
    ///   - bases: The backups that are kept.
    ///   - current: The generation under way, which may not have a backup yet.
    /// - Returns: The number of deleted objects.
    /// - Throws: `BackupStoreError`.
    @discardableResult
    public static func sweep(
        _ store: any BackupStore, keeping bases: [ArchiveBase], current: String?, now: Timestamp
    ) async throws -> Int {
        let catalog = try await read(store)
        var count = 0
        for (generation, segments) in catalog.objects {
            let oldest = bases.filter { $0.from.generation == generation }.map(\.from.commit).min()
            let isYoung = (segments.last?.name.last ?? 0) + patience.milliseconds > now.milliseconds
            if oldest == nil, generation == current || isYoung { continue }
            for segment in segments where oldest.map({ segment.name.commits < $0 }) ?? true {
                try await store.delete(segment.object)
                count += 1
            }
        }
        return count
    }
}
