import Glibc
package import SparkFiles

/// A copy of the database of a server for tests, as of one commit. The file goes with the last reference.
package final class DatabaseImage: Sendable {
    /// The file: a whole database without a log.
    package let path: String
    /// Its size in bytes.
    package let bytes: Int64
    /// How the file was made.
    package let method: CopiedFile.Method

    fileprivate init(path: String, bytes: Int64, method: CopiedFile.Method) {
        (self.path, self.bytes, self.method) = (path, bytes, method)
    }

    deinit { try? DurableFile.remove(path, isLasting: false) }
}

extension SQLiteStorage {
    /// Copies the database, and with it what belongs to it in memory, as of one moment between two commits.
    ///
    /// The log is folded into the database file first, so that the file is whole. On a file system that can, the copy shares the file's
    /// blocks; otherwise the bytes are copied, which is several times faster than SQLite's own backup, page by page through two caches.
    /// - Parameters:
    ///   - path: The new file.
    ///   - memory: Called on the writer's thread, with no write under way.
    /// - Throws: `StorageError` while it is busy or closed, `FileError`.
    package func capture<Memory: Sendable>(
        into path: String, _ memory: @escaping @Sendable () -> Memory
    ) async throws -> (image: DatabaseImage, memory: Memory) {
        let readers = try replacementLock()
        return try await queue.alone { [checkpointer, file] in
            let copied = try readers.alone {
                try checkpointer.folded { try CopiedFile.make(path, of: file) }
            }
            let image = DatabaseImage(path: path, bytes: copied.bytes, method: copied.method)
            return (image, memory())
        }
    }

    /// Puts the database back to an earlier state of itself, between two commits. A read sees all of the old state or all of the new one;
    /// writes that wait meanwhile are refused, because what they are based on is gone.
    ///
    /// Connections stay open. The log is folded, so that the whole state is in the database file; then the pages that differ from the
    /// copy are written there while nobody reads. A commit that changes nothing tells every connection to forget its pages. The file
    /// does not get shorter: the number of its pages in the log's index only rises.
    /// - Parameter memory: Called on the writer's thread before the next write; readers see the earlier state by then.
    /// - Throws: `StorageError`, `FileError`. After a failed copy every write is refused.
    package func restore(_ image: DatabaseImage, _ memory: @escaping @Sendable () -> Void) async throws {
        let readers = try replacementLock()
        try await queue.alone(refusingWaiting: true) { [checkpointer, file, queue] in
            try readers.alone {
                try checkpointer.folded(isChanging: true) {
                    // Nothing has changed yet: without the copy the database stays as it is.
                    guard FileStatus(path: image.path) != nil else {
                        throw FileError(operation: "read", path: image.path, fault: FileFault(code: ENOENT))
                    }
                    do throws(FileError) {
                        try CopiedFile.write(image.path, over: file, made: image.method)
                    } catch {
                        queue.halt(StorageFailure(code: 778, systemError: error.fault.code, path: file))
                        throw error
                    }
                }
            }
            memory()
        }
    }

    private func replacementLock() throws -> ReaderLock {
        guard let readerLock else { throw StorageError.closed }
        return readerLock
    }
}
