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

    struct State {
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

    let state: Mutex<State>
    let directory: String
    let keys: SpillKeys
    let files: any SpillFiles
    let tally: SpillTally
    let logger: Logger

    /// The log is folded into a snapshot when it is longer than this by what was noted since.
    static let longestLog = 4 << 20
    static let largestFile = 256 << 20

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
    func note(_ records: [StampLog.Record], _ state: inout State) {
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

    func appendWhole(_ bytes: [UInt8], to log: Int32) throws(SpillFault) {
        let written = bytes.withUnsafeBytes { buffer in
            Result { () throws(SpillFault) -> Int in try files.append(log, buffer) }
        }
        guard try written.get() == bytes.count else { throw SpillFault(code: EIO) }
    }

    /// Gives the warmth up: what is on the disk serves this start only.
    func lose() { state.withLock { lose(&$0) } }

    func lose(_ state: inout State) {
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

    func path(_ name: String) -> String { directory + "/" + name }
}
