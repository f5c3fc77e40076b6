public import Foundation
import Glibc
import SparkFiles
import SparkStorage
import Synchronization

/// A consistent copy of a data directory on this machine: the database, the server's key and the head of the operators' log.
///
/// Beside a running server, the pages of one commit are read as a backup reads them. Without one, the files are copied. Nothing in the
/// directory is created or changed.
public struct DirectoryCopy: Sendable {
    /// The data directory.
    public var directory: URL
    /// Whether a server uses it. If not, the caller prevents that one starts.
    public var isServed: Bool
    /// Beyond this size of the write-ahead log the copy gives up.
    public var maximumLogBytes: Int64 = 4_096 << 20
    /// Called with the number of pages that are copied, and of all; only beside a server.
    public var progress: @Sendable (_ pages: Int, _ of: Int) -> Void = { _, _ in }

    /// A copy of a directory.
    public init(of directory: URL, isServed: Bool) { (self.directory, self.isServed) = (directory, isServed) }

    /// The bytes of the database with its write-ahead log.
    public var bytes: Int64 {
        Self.databaseFiles.reduce(0) { $0 + (FileStatus(path: directory.appending(path: $1).path)?.bytes ?? 0) }
    }

    private static let databaseFiles = ["spark.db", "spark.db-wal"]

    /// Copies into a new directory.
    /// - Throws: `BackupError`, `StorageOpenError`, `CancellationError`.
    public func run(into target: URL) async throws {
        do {
            try DurableFile.makeDirectory(target.path, isLasting: false)
            // The head of the operators' log before the database, so that the database has its line.
            for path in BackupJob.files {
                guard let bytes = try DurableFile.contents(of: directory.appending(path: path).path, atMost: 1 << 20) else {
                    continue
                }
                let file = target.appending(path: path)
                try DurableFile.makeDirectory(file.deletingLastPathComponent().path, isLasting: false)
                try DurableFile.replace(file.path, with: bytes, isLasting: false)
            }
            if isServed { try await copySnapshot(into: target) } else { try await copyFiles(into: target) }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw BackupError.of(error, during: "copy \(directory.path)")
        }
    }

    private func copySnapshot(into target: URL) async throws {
        let isCancelled = CancellationFlag()
        let reader = SnapshotReader(largestLog: { _ in }, isCancelled: { isCancelled.isSet })
        defer { reader.end() }
        try await withTaskCancellationHandler {
            let state = try await reader.begin(
                directory.appending(path: "spark.db"), directory: directory, maximumLogBytes: maximumLogBytes)
            try await reader.copy(state.pageCount, into: DatabaseTarget(target.appending(path: "spark.db"))) {
                progress($0, state.pageCount)
            }
        } onCancel: {
            isCancelled.set()
        }
    }

    /// Copies the database as it lies there, with what an unclean end left in its log.
    private func copyFiles(into target: URL) async throws {
        for name in Self.databaseFiles {
            let file = directory.appending(path: name)
            guard FileStatus(path: file.path) != nil else { continue }
            try Task.checkCancellation()
            try await BlockingWork.run {
                let copy = target.appending(path: name).path
                do {
                    try FileManager.default.copyItem(atPath: file.resolvingSymlinksInPath().path, toPath: copy)
                } catch {
                    let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
                    throw BackupError.refused(
                        "copy \(file.path) to \(copy): \(isFull ? "the disk is full" : error.localizedDescription)")
                }
                guard chmod(copy, 0o600) == 0 else {
                    throw FileError(operation: "change mode", path: copy, fault: FileFault(code: errno))
                }
            }
        }
    }
}

/// Whether a task was cancelled, for a thread that is not the task's.
private final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
