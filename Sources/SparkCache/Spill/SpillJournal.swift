import Glibc
import Logging
import Synchronization

/// What lets a warm spill outlive its process: a manifest, and in each generation a snapshot of the stamps and a log of what came
/// after it.
///
/// A long log is folded into the next snapshot from the files alone. An invalidation that was noted counts, whether or not its
/// commit is visible to readers and in the table of stamps.
///
/// When a note cannot be written, old entries on the disk can no longer be told from current ones. Then the manifest is
/// removed, and the next start begins cold.
final class SpillJournal: Sendable {
    struct LoadedState {
        var versions: [UInt32]
        /// The newest forgotten sequence number of each short hash.
        var forgotten: [ShortHash: UInt64] = [:]
        var hottest: [UInt64]
    }

    private struct State {
        var manifest: SpillManifest
        var log: Int32?
        var logBytes = 0
        /// Bytes that the log began with.
        var carriedBytes = 0
        var snapshotBytes = 0
        /// Stamps in the table.
        var count = 0
        var isWarmRestartLost = false
    }

    private let state: Mutex<State>
    private let directory: String
    private let keys: SpillKeys
    private let files: any SpillFiles
    private let counters: LiveSpillCounters
    private let logger: Logger

    /// The log is folded into a snapshot when it has grown by more bytes than this.
    private static let longestLog = 4 << 20
    private static let largestFile = 256 << 20

    init(
        _ manifest: SpillManifest, directory: String, keys: SpillKeys, files: any SpillFiles, counters: LiveSpillCounters,
        logger: Logger
    ) {
        self.state = Mutex(State(manifest: manifest))
        self.directory = directory
        self.keys = keys
        self.files = files
        self.counters = counters
        self.logger = logger
    }

    /// Reads the manifest and removes its file. Nil when there is none that this key opens.
    static func takeManifest(in directory: String, keys: SpillKeys, files: any SpillFiles) -> SpillManifest? {
        let path = directory + "/" + SpillManifest.name
        guard let sealed = files.contents(of: path, atMost: 4_096), let content = keys.open(sealed, as: SpillManifest.name),
            let manifest = SpillManifest(content), (try? files.remove(path)) != nil
        else { return nil }
        return manifest
    }

    var bytes: Int { state.withLock { $0.logBytes + $0.snapshotBytes } }
    var isWarmRestartLost: Bool { state.withLock { $0.isWarmRestartLost } }

    /// Starts the journal of this start.
    func begin(versions: [UInt32], forgotten: [ShortHash: UInt64]) {
        state.withLock { state in
            guard !state.isWarmRestartLost else { return }
            state.manifest.starts &+= 1
            state.count = versions.count
            beginGeneration(&state, StampSnapshot(versions: versions), forgotten: forgotten, isClean: false)
        }
    }

    func noteInvalidations(_ stamps: [Stamp]) {
        state.withLock { note(stamps.map { .invalidated($0) }, &$0) }
    }

    func noteForgotten(_ hashes: [UInt64], sequence: UInt64) {
        state.withLock { note(hashes.map { .forgotten(ShortHash($0), sequence: sequence) }, &$0) }
    }

    /// One write(2). After the death of the process the note is in the page cache.
    private func note(_ records: [StampLog.Record], _ state: inout State) {
        guard let log = state.log, !state.isWarmRestartLost, !records.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * StampLog.recordBytes)
        for record in records { StampLog.append(record, to: &bytes, checksum: keys.checksum) }
        do throws(SpillFault) {
            try appendWhole(bytes, to: log)
            state.logBytes += bytes.count
        } catch {
            counters.noteWriteFailure(error)
            disableWarmRestart(&state)
        }
    }

    private func appendWhole(_ bytes: [UInt8], to log: Int32) throws(SpillFault) {
        let written = bytes.withUnsafeBytes { buffer in
            Result { () throws(SpillFault) -> Int in try files.append(log, buffer) }
        }
        guard try written.get() == bytes.count else { throw SpillFault(code: EIO) }
    }

    /// Gives up the next warm restart: the files serve only this start.
    func disableWarmRestart() { state.withLock { disableWarmRestart(&$0) } }

    private func disableWarmRestart(_ state: inout State) {
        guard !state.isWarmRestartLost else { return }
        state.isWarmRestartLost = true
        do throws(SpillFault) {
            try files.remove(path(SpillManifest.name))
        } catch  where error.code == ENOENT {
            // There is no manifest yet.
        } catch {
            counters.noteWriteFailure(error)
            // A log of one record of zeros, which is corrupt and needs no disk space.
            if let log = state.log {
                try? files.truncate(log, to: 0)
                try? files.truncate(log, to: StampLog.recordBytes)
            }
        }
        logger.warning("The spill's log failed; the next start begins with a cold disk tier")
    }

    private func path(_ name: String) -> String { directory + "/" + name }

    // MARK: Generations

    /// The stamps of the last start, for a table of `count`. Nil when snapshot or log is missing, corrupt or of another size.
    func load(count: Int) -> LoadedState? { load(generation: state.withLock { $0.manifest.generation }, count: count) }

    private func load(generation: UInt64, count: Int) -> LoadedState? {
        let name = StampSnapshot.name(generation: generation)
        guard let sealed = files.contents(of: path(name), atMost: Self.largestFile), let content = keys.open(sealed, as: name),
            let snapshot = StampSnapshot(content, count: count),
            let log = files.contents(of: path(StampLog.name(generation: generation)), atMost: Self.largestFile),
            let records = StampLog.parse(log, checksum: keys.checksum)
        else { return nil }
        var found = LoadedState(versions: snapshot.versions, hottest: snapshot.hottest)
        for record in records {
            switch record {
            case .invalidated(let stamp): Self.apply(stamp, to: &found.versions)
            case .forgotten(let shortHash, let sequence):
                found.forgotten[shortHash] = max(found.forgotten[shortHash] ?? 0, sequence)
            }
        }
        return found
    }

    /// Each note is one invalidation, so it raises the version by at least one, whatever version its writer expected.
    private static func apply(_ stamp: Stamp, to versions: inout [UInt32]) {
        guard Int(stamp.slot) < versions.count else { return }
        let slot = Int(stamp.slot)
        versions[slot] = max(versions[slot] &+ 1, stamp.version)
    }

    /// Folds a long log into a new snapshot. Commits wait for it, a few milliseconds.
    /// - Parameter oldestSequence: the first sequence number of the oldest segment. Notes of older forgotten entries are dropped.
    func compact(oldestSequence: UInt64) {
        state.withLock { state in
            guard state.logBytes - state.carriedBytes > Self.longestLog, !state.isWarmRestartLost else { return }
            guard let found = load(generation: state.manifest.generation, count: state.count) else {
                return disableWarmRestart(&state)
            }
            let forgotten = found.forgotten.filter { $0.value >= oldestSequence }
            beginGeneration(&state, StampSnapshot(versions: found.versions), forgotten: forgotten, isClean: false)
        }
    }

    /// Ends the journal at a clean stop: the stamps as they are, or as they were announced to become, are on the disk.
    func close(versions: [UInt32], hottest: [UInt64]) {
        state.withLock { state in
            guard state.log != nil, !state.isWarmRestartLost else { return }
            guard let found = load(generation: state.manifest.generation, count: state.count) else {
                return disableWarmRestart(&state)
            }
            // An announced invalidation may be committed and not yet be in the table, and no later call would report it.
            let newest = zip(found.versions, versions).map(max)
            let snapshot = StampSnapshot(versions: newest, hottest: hottest)
            beginGeneration(&state, snapshot, forgotten: found.forgotten, isClean: true)
            if let log = state.log { files.close(log) }
            state.log = nil
        }
    }

    /// Writes the next generation, points the manifest to it and removes the last one.
    private func beginGeneration(_ state: inout State, _ snapshot: StampSnapshot, forgotten: [ShortHash: UInt64], isClean: Bool) {
        var manifest = state.manifest
        let last = (log: state.log, generation: manifest.generation)
        manifest.generation &+= 1
        manifest.isClean = isClean
        let name = StampSnapshot.name(generation: manifest.generation)
        var notes: [UInt8] = []
        for (shortHash, sequence) in forgotten {
            StampLog.append(.forgotten(shortHash, sequence: sequence), to: &notes, checksum: keys.checksum)
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
            counters.noteWriteFailure(error)
            return disableWarmRestart(&state)
        }
        if let log = last.log { files.close(log) }
        try? files.remove(path(StampSnapshot.name(generation: last.generation)))
        try? files.remove(path(StampLog.name(generation: last.generation)))
    }
}
