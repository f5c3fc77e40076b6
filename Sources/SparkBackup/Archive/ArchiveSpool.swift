import Foundation
import SparkFiles

/// The segments of a data directory that are on their way to the store: the folder `archive`, with a folder for each generation.
///
/// The newest closed segment stays after it is in the store: its end is where the archive continues after a restart.
struct ArchiveSpool: Sendable {
    let folder: URL
    /// The closed segments, in their order.
    private(set) var closed: [Entry] = []

    struct Entry: Sendable {
        var segment: SealedSegment
        var isStored = false
    }

    /// What the folder has beside those of generations.
    private static let others = [ArchiveRest.name, ArchiveCompactor.folder]

    init(_ folder: URL) { self.folder = folder }

    /// The folder of a generation.
    func folder(of generation: String) -> URL { folder.appending(path: generation, directoryHint: .isDirectory) }

    /// The bytes of all closed segments.
    var bytes: Int64 { closed.reduce(0) { $0 + $1.segment.bytes } }

    /// The bytes of those that are in the store already.
    var storedBytes: Int64 { closed.reduce(0) { $0 + ($1.isStored ? $1.segment.bytes : 0) } }

    /// The oldest segment that is not in the store.
    var next: SealedSegment? { closed.first { !$0.isStored }?.segment }

    /// The newest segment of a generation that is in the store; nil if this process stored none.
    func lastStored(of generation: String) -> SegmentName? {
        closed.last { $0.isStored && $0.segment.name.generation == generation }?.segment.name
    }

    mutating func add(_ segment: SealedSegment) {
        closed.append(Entry(segment: segment))
        sweep()
    }

    /// Notes that a segment is in the store, and removes the stored ones before the newest.
    mutating func stored(_ name: SegmentName) {
        guard let index = closed.firstIndex(where: { $0.segment.name == name }) else { return }
        closed[index].isStored = true
        sweep()
    }

    private mutating func sweep() {
        while let first = closed.first, first.isStored, closed.count > 1 {
            // Best effort: a segment that stays is stored again after the next start.
            try? DurableFile.remove(first.segment.path, isLasting: false)
            closed.removeFirst()
            if closed.first?.segment.name.generation != first.segment.name.generation {
                try? FileManager.default.removeItem(at: folder(of: first.segment.name.generation))
            }
        }
    }

    /// What a generation's folder has.
    struct Finding {
        var generation: String
        /// The newest closed segment.
        var last: SealedSegment?
        /// The segments that are not closed, by number.
        var open: [Int64] = []
    }

    /// Removes the folders of generations that have nothing to store.
    func removeEmpty(but generation: String) {
        let kept = Set(closed.map(\.segment.name.generation) + [generation])
        for name in names(in: folder) where !kept.contains(name) && !Self.others.contains(name) {
            // Best effort: the next generation tries again.
            try? FileManager.default.removeItem(at: folder(of: name))
        }
    }

    /// Reads the folder.
    /// - Returns: The newest generation; nil if there is none.
    mutating func load() throws(FileError) -> Finding? {
        try DurableFile.makeDirectory(folder.path)
        closed = []
        var newest: Finding?
        for generation in names(in: folder) where !Self.others.contains(generation) {
            var finding = Finding(generation: generation)
            for name in names(in: folder(of: generation)) {
                let path = folder(of: generation).appending(path: name).path
                if name.hasSuffix(SegmentName.suffix), let segment = SegmentName(file: name, generation: generation),
                    let status = FileStatus(path: path)
                {
                    let sealed = SealedSegment(name: segment, path: path, bytes: status.bytes, digest: [])
                    closed.append(Entry(segment: sealed))
                    finding.last = sealed
                } else if name.hasSuffix(SegmentWriter.suffix), let number = Int64(name.dropLast(SegmentWriter.suffix.count)) {
                    finding.open.append(number)
                } else {
                    // An encrypted copy, or what a killed process left of one.
                    try DurableFile.remove(path, isLasting: false)
                }
            }
            finding.open.sort()
            if finding.last != nil || !finding.open.isEmpty { newest = finding }
        }
        return newest
    }

    private func names(in folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }
}
