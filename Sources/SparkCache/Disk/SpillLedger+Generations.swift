import Glibc
import Synchronization

// Each generation is a snapshot of the stamps and the log of what came after it.
extension SpillLedger {
    /// The stamps of the last start, for a table of `count`. Nil if snapshot or log are missing, unsound or of another size.
    func load(count: Int) -> Found? { load(generation: state.withLock { $0.manifest.generation }, count: count) }

    func load(generation: UInt64, count: Int) -> Found? {
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
    static func apply(_ stamp: Stamp, to versions: inout [UInt32]) {
        guard Int(stamp.slot) < versions.count else { return }
        let slot = Int(stamp.slot)
        versions[slot] = max(versions[slot] &+ 1, stamp.version)
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
    func turn(_ state: inout State, _ snapshot: StampSnapshot, forgotten: [SpillMark: UInt64], isClean: Bool) {
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
}
