import Foundation
import SparkCore
import SparkFiles

/// Merges the small segments of past hours in a store into packs, so that a day has some dozens of objects instead of up to 100,000.
///
/// A pack is complete in the store, and compared, before the segments in it are deleted; a reader meanwhile finds the pack, or
/// reads the list again. What a kill leaves, a pack beside its segments, is whole, and the next round deletes the segments. One segment
/// at a time is in memory, and one pack is on the disk.
struct ArchiveCompactor: Sendable {
    /// The folder in the spool for the pack that is being made.
    static let folder = "merge"
    /// The time from one round to the next.
    static let interval = Duration.minutes(10)
    /// A pack ends with the hour of its first segment.
    private static let span = Duration.hours(1)
    /// An hour is over for so long before it is merged: what was committed in it is stored by then, usually.
    private static let patience = Duration.minutes(5)
    /// A pack is not begun for fewer segments.
    private static let fewest = 8

    let store: any BackupStore
    /// The folder for files that are removed again.
    let scratch: URL
    /// A pack ends beyond this size, in bytes.
    var mostBytes: Int64 = 64 << 20
    /// The most segments that one round merges.
    var mostSegments = SegmentPackFormat.mostSegments

    /// One round.
    /// - Returns: The number of segments that were merged.
    /// - Throws: `BackupStoreError`, `FileError`, `CancellationError`, `ArchiveError` for a segment that is damaged; it stays as it is.
    @discardableResult
    func run(now: Timestamp) async throws -> Int {
        // What a kill left.
        try? FileManager.default.removeItem(at: scratch)
        let catalog = try await ArchiveCatalog.read(store)
        var count = 0
        for (generation, segments) in catalog.generations.sorted(by: { $0.key < $1.key }) {
            for object in catalog.packed(in: generation) {
                try Task.checkCancellation()
                try await store.delete(object)
            }
            for group in groups(segments, now) {
                guard count + group.count <= mostSegments else { return count }
                try Task.checkCancellation()
                try await merge(group, all: catalog.objects(in: generation))
                count += group.count
            }
        }
        return count
    }

    /// Segments that follow each other in hours that are over.
    private func groups(_ segments: [ArchiveCatalog.Stored], _ now: Timestamp) -> [[ArchiveCatalog.Stored]] {
        func hour(_ milliseconds: Int64) -> Int64 { milliseconds / Self.span.milliseconds }
        let current = hour(now.milliseconds - Self.patience.milliseconds)
        var groups: [[ArchiveCatalog.Stored]] = []
        var bytes: Int64 = 0
        for segment in segments where !segment.isPack && hour(segment.name.last) < current {
            bytes += segment.bytes
            if let group = groups.last, let last = group.last, last.name.number + 1 == segment.name.number,
                hour(group[0].name.first) == hour(segment.name.first), bytes <= mostBytes,
                group.count < min(SegmentPackFormat.mostSegments, mostSegments)
            {
                groups[groups.count - 1].append(segment)
            } else {
                groups.append([segment])
                bytes = segment.bytes
            }
        }
        return groups.filter { $0.count >= Self.fewest }
    }

    private func merge(_ group: [ArchiveCatalog.Stored], all objects: [ArchiveCatalog.Stored]) async throws {
        try DurableFile.makeDirectory(scratch.path, isLasting: false)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let file = scratch.appending(path: "pack")
        let source = scratch.appending(path: "segment")
        let pack = try SegmentPackWriter(file)
        for segment in group {
            try Task.checkCancellation()
            try await store.get(segment.object, into: source)
            try await BlockingWork.run {
                let content = try Self.content(of: source, segment)
                try pack.append(content, name: String(segment.object.split(separator: "/").last ?? ""))
            }
        }
        try await BlockingWork.run { try pack.end() }
        let name = SegmentPackName(group.map(\.name))
        try await store.putCompared(file, as: name.object)
        // Both objects of a segment that was stored twice.
        let names = Set(group.map(\.name))
        for object in objects where names.contains(object.name) && !object.isPack { try await store.delete(object.object) }
    }

    /// The content of a segment. One that can be read is checked: a pack does not hide damage.
    private static func content(of file: URL, _ segment: ArchiveCatalog.Stored) throws -> [UInt8] {
        let longest = SegmentFormat.mostBytes + SegmentFormat.mostBytes / 16
        guard let bytes = try DurableFile.contents(of: file.path, atMost: longest), Int64(bytes.count) == segment.bytes else {
            throw ArchiveError.damaged(segment: segment.object, "it has another size than the list says")
        }
        if segment.object.hasSuffix(SegmentName.suffix) { try SegmentReader(file, name: segment.object).read() }
        return bytes
    }
}
