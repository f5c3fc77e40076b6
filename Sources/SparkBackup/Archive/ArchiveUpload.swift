import Dispatch
import Foundation
import SparkCore
import SparkFiles

extension LogArchive {
    /// The longest pause between two attempts to store a segment.
    private static let longestPause = Duration.seconds(30)
    /// The pause after a backup that a generation needs could not be made.
    private static let basePause = Duration.minutes(1)

    /// Stores segments in their order until the task is cancelled.
    /// - Parameters:
    ///   - store: Where the segments go.
    ///   - sealing: Encrypts them; nil stores them as they are.
    ///   - makeBase: Returns once the generation has a backup from which it can be replayed. Called for each generation; again after a
    ///     pause if it throws.
    public func run(
        in store: any BackupStore, sealing: (any BackupSealing)?, makeBase: @escaping @Sendable (String) async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.storeAll(in: store, sealing: sealing) }
            group.addTask { await self.keepBases(makeBase) }
            group.addTask { await self.mergeSegments(in: store) }
            await group.waitForAll()
        }
    }

    private func storeAll(in store: any BackupStore, sealing: (any BackupSealing)?) async {
        var signals = signals.makeAsyncIterator()
        var pause = Duration.milliseconds(250)
        while !Task.isCancelled {
            do {
                if let segment = nextSegment {
                    try await put(segment, in: store, sealing)
                    pause = .milliseconds(250)
                    continue
                }
                if waitsForStore {
                    try await probe(store)
                    await beginAgain()
                    if !waitsForStore { continue }
                }
            } catch {
                if Task.isCancelled { return }
                storeFailed(error)
                // A pause that is cut short ends the loop.
                try? await Task.sleep(for: pause * Double.random(in: 0.8...1.2))
                pause = min(pause * 2, Self.longestPause)
                continue
            }
            if waitsForStore {
                try? await Task.sleep(for: pause)
            } else {
                guard await signals.next() != nil else { return }
            }
        }
    }

    /// Stores what is closed, for at most a while. For a stop.
    /// - Returns: False if something is left for the next start.
    public func storeRest(in store: any BackupStore, sealing: (any BackupSealing)?, within patience: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    while let segment = self.nextSegment { try await self.put(segment, in: store, sealing) }
                    return true
                } catch {
                    self.storeFailed(error)
                    return false
                }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return false
            }
            let isDone = await group.next() ?? false
            group.cancelAll()
            return isDone
        }
    }

    private func put(_ segment: SealedSegment, in store: any BackupStore, _ sealing: (any BackupSealing)?) async throws {
        let file = URL(filePath: segment.path)
        guard let sealing else {
            try await store.putCompared(file, as: segment.name.object())
            return stored(segment.name)
        }
        let sealed = URL(filePath: segment.path + sealing.suffix)
        defer { try? FileManager.default.removeItem(at: sealed) }
        try await Self.blocking { try sealing.seal(file, into: sealed) }
        try await store.putCompared(sealed, as: segment.name.object(sealing.suffix))
        stored(segment.name)
    }

    /// Writes a small object, to see whether the store takes anything, and removes it again.
    private func probe(_ store: any BackupStore) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-archive-probe-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: file) }
        try DurableFile.replace(file.path, with: Array("spark\n".utf8), isLasting: false)
        let name = "\(SegmentName.folder)/probe"
        try await store.put(file, as: name)
        try await store.delete(name)
    }

    /// A missing segment is looked for again after so long: a list may be older than what was stored last.
    private static let secondLook = Duration.seconds(5)

    /// The number of a segment that is missing in the store, and without which no backup there can be replayed to the end; nil if none is.
    func missingSegment(in store: any BackupStore) async throws -> (generation: String, number: Int64)? {
        guard let last = lastStored else { return nil }
        let catalog = try await ArchiveCatalog.read(store)
        guard let number = catalog.missing(in: last.generation, upTo: last.number) else { return nil }
        let ranges = catalog.ranges(try await BackupCatalog(store).archiveBases())
        guard !ranges.contains(where: { $0.generation == last.generation && $0.lastCommit >= last.commits }) else { return nil }
        return (last.generation, number)
    }

    /// Begins another generation if the store has lost a segment.
    private func lookForLoss(in store: any BackupStore) async throws {
        guard let missing = try await missingSegment(in: store) else { return }
        try await Task.sleep(for: Self.secondLook)
        guard let again = try await missingSegment(in: store), again == missing else { return }
        lost(missing.number, of: missing.generation)
    }

    /// Looks from time to time whether the store still has what it got, and merges small segments.
    private func mergeSegments(in store: any BackupStore) async {
        while true {
            for _ in 0..<(ArchiveCompactor.interval.milliseconds / Self.secondLook.milliseconds) {
                if takeDoubt() {
                    do {
                        try await lookForLoss(in: store)
                    } catch {
                        // What is wrong with the store shows when a segment is stored.
                        doubt()
                    }
                }
                // A pause that is cut short ends the loop.
                try? await Task.sleep(for: Self.secondLook)
                if Task.isCancelled { return }
            }
            doubt()
            do {
                try await compactor(of: store).run(now: now)
            } catch {
                if Task.isCancelled { return }
                mergeFailed(error)
            }
        }
    }

    private func keepBases(_ makeBase: @Sendable (String) async throws -> Void) async {
        var done: String?
        while !Task.isCancelled {
            if let generation = position?.generation, generation != done {
                do {
                    try await makeBase(generation)
                    done = generation
                } catch {
                    if Task.isCancelled { return }
                    baseFailed(error)
                    try? await Task.sleep(for: Self.basePause)
                }
            } else {
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Runs a body that blocks on a thread of its own.
    static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result { try body() }) }
        }
    }
}
