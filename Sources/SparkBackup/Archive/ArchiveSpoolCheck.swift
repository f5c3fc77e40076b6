public import Foundation
import SparkFiles

/// Checks what a data directory has of an archive on its way to the place, beside a running server or without one. Changes nothing.
public enum ArchiveSpoolCheck {
    /// The faults of a spool; empty if it is sound, or if there is none. Reads every segment in it. Blocks.
    ///
    /// Closed segments are whole and continue each other without a gap, and the newest generation reaches to where the last orderly end
    /// recorded its position.
    public static func faults(in folder: URL) -> [String] {
        let found = look(into: folder)
        guard !found.isEmpty else { return [] }
        // A running server closes, renames and removes segments meanwhile: what is wrong stays so.
        let again = look(into: folder)
        return found.filter(again.contains)
    }

    private static func look(into folder: URL) -> [String] {
        let generations = names(in: folder).filter { ![ArchiveRest.name, ArchiveCompactor.folder].contains($0) }
        var faults: [String] = []
        var ends: [String: Int64] = [:]
        for generation in generations {
            let (wrong, end) = look(into: folder.appending(path: generation, directoryHint: .isDirectory), generation)
            faults += wrong
            ends[generation] = end
        }
        // A later generation begins with a state of its own.
        if let rest = ArchiveRest.read(in: folder), generations.last ?? "" <= rest.generation {
            let end = ends[rest.generation] ?? 0
            if end < rest.commits {
                faults.append(
                    "archive: generation \(rest.generation) ends with commit \(end), but its end was recorded at commit "
                        + "\(rest.commits): the next start begins another generation")
            }
        }
        return faults
    }

    /// - Returns: The faults of a generation, and the number of its last commit.
    private static func look(into folder: URL, _ generation: String) -> ([String], Int64?) {
        let names = names(in: folder)
        let closed = names.compactMap { file in
            file.hasSuffix(SegmentName.suffix)
                ? SegmentName(file: file, generation: generation).map { (name: $0, file: file) } : nil
        }
        var (faults, end): ([String], Int64?) = ([], nil)
        var last: SegmentReader.Summary?
        for segment in closed.sorted(by: { $0.name.number < $1.name.number }) {
            let path = folder.appending(path: segment.file)
            let summary: SegmentReader.Summary
            do {
                summary = try SegmentReader(path, name: "\(generation)/\(segment.file)").read()
            } catch {
                // It may have been stored and removed meanwhile.
                if FileStatus(path: path.path) != nil { faults.append("archive: \(error)") }
                last = nil
                continue
            }
            if summary.header.generation != generation || summary.header.number != segment.name.number
                || summary.commits != segment.name.commits
            {
                faults.append("archive: \(generation)/\(segment.file) is another segment than its name says")
            }
            if let last, last.header.number + 1 != summary.header.number || last.trailer?.digest != summary.header.previous {
                faults.append("archive: \(generation)/\(segment.file) does not continue the segment before it")
            }
            (last, end) = (summary, summary.commits)
        }
        for file in names where file.hasSuffix(SegmentWriter.suffix) {
            guard let summary = try? SegmentReader(folder.appending(path: file)).scan() else { continue }
            end = max(end ?? 0, summary.commits)
        }
        return (faults, end)
    }

    private static func names(in folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }
}
