import Glibc
import Logging
import Synchronization

/// What lets a warm spill outlive its process: manifest, stamp snapshot and log, each generation a pair of the latter two.
///
/// A long log is folded into the next snapshot from the files alone: an invalidation that was noted counts, whether or not its
/// commit has been seen by readers and is in the table of stamps.
///
/// When a note cannot be written, what is on the disk can no longer be told current from old: the manifest is taken away, and
/// the next start begins cold.
final class SpillLedger: Sendable {
    struct Found {
        var versions: [UInt32]
        /// By mark, the newest sequence number that is forgotten.
        var forgotten: [SpillMark: UInt64] = [:]
        var hottest: [UInt64]
    }

    private struct State {
        var manifest: SpillManifest
        var log: Int32?
        var logBytes = 0
        /// What the log began with.
        var carriedBytes = 0
        var snapshotBytes = 0
        /// Stamps in the table.
        var count = 0
        var isLost = false
    }

    private let state: Mutex<State>
    private let directory: String
    private let keys: SpillKeys
    private let files: any SpillFiles
    private let tally: SpillTally
    private let logger: Logger

    /// The log is folded into a snapshot when it is longer than this by what was noted since.
    private static let longestLog = 4 << 20
    private static let largestFile = 256 << 20

    init(
        _ manifest: SpillManifest, directory: String, keys: SpillKeys, files: any SpillFiles, tally: SpillTally, logger: Logger
    ) {
        self.state = Mutex(State(manifest: manifest))
        self.directory = directory
        self.keys = keys
        self.files = files
        self.tally = tally
        self.logger = logger
    }

    /// Reads the manifest and takes its file away. Nil if there is none that this key opens.
    static func takeManifest(in directory: String, keys: SpillKeys, files: any SpillFiles) -> SpillManifest? {
        let path = directory + "/" + SpillManifest.name
        guard let sealed = files.contents(of: path, atMost: 4_096), let content = keys.open(sealed, as: SpillManifest.name),
            let manifest = SpillManifest(content), (try? files.remove(path)) != nil
        else { return nil }
        return manifest
    }

    var bytes: Int { state.withLock { $0.logBytes + $0.snapshotBytes } }
    var isLost: Bool { state.withLock { $0.isLost } }

    /// The stamps of the last start, for a table of `count`. Nil if snapshot or log are missing, unsound or of another size.
    func load(count: Int) -> Found? { load(generation: state.withLock { $0.manifest.generation }, count: count) }

    private func load(generation: UInt64, count: Int) -> Found? {
        let name = StampSnapshot.name(generation: generation)
        guard let sealed = files.contents(of: path(name), atMost: Self.largestFile), let content = keys.open(sealed, as: name),
            let snapshot = StampSnapshot(content, count: count),
            let log = files.contents(of: path(StampLog.name(generation: generation)), atMost: Self.largestFile),
            let records = StampLog.parse(log, check: keys.check)
        else { return nil }
        var found = Found(versions: snapshot.versions, hottest: snapshot.hottest)
        for record in records {
            switch record {
            case .invalidated(let stamp): Self.apply(stamp, to: &found.versions)
            case .forgotten(let mark, let sequence):
                found.forgotten[mark] = max(found.forgotten[mark] ?? 0, sequence)
            }
        }
        return found
    }

    /// Each note is one invalidation, so it counts at least one up, whatever version its writer foresaw.
    private static func apply(_ stamp: Stamp, to versions: inout [UInt32]) {
        guard Int(stamp.slot) < versions.count else { return }
        let slot = Int(stamp.slot)
        versions[slot] = max(versions[slot] &+ 1, stamp.version)
    }

    /// Begins to keep the ledger of this start.
    func begin(versions: [UInt32], forgotten: [SpillMark: UInt64]) {
        state.withLock { state in
            guard !state.isLost else { return }
            state.manifest.starts &+= 1
            state.count = versions.count
            turn(&state, StampSnapshot(versions: versions), forgotten: forgotten, isClean: false)
        }
    }

    func noteInvalidations(_ stamps: [Stamp]) {
        state.withLock { note(stamps.map { .invalidated($0) }, &$0) }
    }

    func noteForgotten(_ hashes: [UInt64], sequence: UInt64) {
        state.withLock { note(hashes.map { .forgotten(SpillMark($0), sequence: sequence) }, &$0) }
    }

    /// One write(2): a process's death leaves it in the page cache.
    private func note(_ records: [StampLog.Record], _ state: inout State) {
        guard let log = state.log, !state.isLost, !records.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * StampLog.recordBytes)
        for record in records { StampLog.append(record, to: &bytes, check: keys.check) }
        do throws(SpillFault) {
            try appendWhole(bytes, to: log)
            state.logBytes += bytes.count
        } catch {
            tally.noteWriteFailure(error)
            lose(&state)
        }
    }

    private func appendWhole(_ bytes: [UInt8], to log: Int32) throws(SpillFault) {
        let written = bytes.withUnsafeBytes { buffer in
            Result { () throws(SpillFault) -> Int in try files.append(log, buffer) }
        }
        guard try written.get() == bytes.count else { throw SpillFault(code: EIO) }
    }

    /// Gives the warmth up: what is on the disk serves this start only.
    func lose() { state.withLock { lose(&$0) } }

    private func lose(_ state: inout State) {
        guard !state.isLost else { return }
        state.isLost = true
        do throws(SpillFault) {
            try files.remove(path(SpillManifest.name))
        } catch  where error.code == ENOENT {
            // No manifest yet: the same.
        } catch {
            tally.noteWriteFailure(error)
            // A log of one record of zeros, which is unsound; it takes no space.
            if let log = state.log {
                try? files.truncate(log, to: 0)
                try? files.truncate(log, to: StampLog.recordBytes)
            }
        }
        logger.warning("The spill's log failed; the next start begins with a cold disk tier")
    }

    /// Folds the log into a new snapshot when it has grown long. Commits wait for it, a few milliseconds.
    /// - Parameter oldestSequence: the first of the oldest segment; what was forgotten before it needs no note any more.
    func compact(oldestSequence: UInt64) {
        state.withLock { state in
            guard state.logBytes - state.carriedBytes > Self.longestLog, !state.isLost else { return }
            guard let found = load(generation: state.manifest.generation, count: state.count) else { return lose(&state) }
            let forgotten = found.forgotten.filter { $0.value >= oldestSequence }
            turn(&state, StampSnapshot(versions: found.versions), forgotten: forgotten, isClean: false)
        }
    }

    /// The clean end: the stamps as they are, or as they were announced to become, all of it on the disk.
    func close(versions: [UInt32], hottest: [UInt64]) {
        state.withLock { state in
            guard state.log != nil, !state.isLost else { return }
            guard let found = load(generation: state.manifest.generation, count: state.count) else { return lose(&state) }
            // What was announced may be committed and not yet be in the table; nobody will tell us when it is.
            let newest = zip(found.versions, versions).map(max)
            let snapshot = StampSnapshot(versions: newest, hottest: hottest)
            turn(&state, snapshot, forgotten: found.forgotten, isClean: true)
            if let log = state.log { files.close(log) }
            state.log = nil
        }
    }

    /// Writes the next generation, points the manifest to it, and takes the last one away.
    private func turn(_ state: inout State, _ snapshot: StampSnapshot, forgotten: [SpillMark: UInt64], isClean: Bool) {
        var manifest = state.manifest
        let last = (log: state.log, generation: manifest.generation)
        manifest.generation &+= 1
        manifest.isClean = isClean
        let name = StampSnapshot.name(generation: manifest.generation)
        var notes: [UInt8] = []
        for (mark, sequence) in forgotten {
            StampLog.append(.forgotten(mark, sequence: sequence), to: &notes, check: keys.check)
        }
        do throws(SpillFault) {
            guard let sealed = keys.seal(snapshot.encoded, as: name),
                let sealedManifest = keys.seal(manifest.encoded, as: SpillManifest.name)
            else { throw SpillFault(code: EINVAL) }
            try files.store(sealed, at: path(name), isLasting: isClean)
            let log = try files.open(path(StampLog.name(generation: manifest.generation)), .append)
            if !notes.isEmpty { try appendWhole(notes, to: log) }
            if isClean { try files.synchronize(log) }
            try files.store(sealedManifest, at: path(SpillManifest.name), isLasting: isClean)
            state.manifest = manifest
            state.log = log
            state.logBytes = notes.count
            state.carriedBytes = notes.count
            state.snapshotBytes = sealed.count
        } catch {
            tally.noteWriteFailure(error)
            return lose(&state)
        }
        if let log = last.log { files.close(log) }
        try? files.remove(path(StampSnapshot.name(generation: last.generation)))
        try? files.remove(path(StampLog.name(generation: last.generation)))
    }

    private func path(_ name: String) -> String { directory + "/" + name }
}
