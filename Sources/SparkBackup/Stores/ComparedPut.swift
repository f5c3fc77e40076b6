package import Foundation
import SparkFiles

extension BackupStore {
    /// Stores a file, and compares the object with it before this returns: its content where the store can say it, otherwise its size.
    /// A caller that removes the file afterwards needs that: some storage answers well and keeps something else, or nothing.
    /// - Throws: `BackupStoreError`, `.unavailable` if the object is another one.
    package func putCompared(_ file: URL, as name: String) async throws {
        let bytes = try await BlockingWork.run { FileStatus(path: file.path)?.bytes }
        try await put(file, as: name)
        if let store = self as? any CheckingStore {
            let digest = try await BlockingWork.run { try FileDigest.of(file) }
            guard try await store.digest(of: name) == digest else { throw Self.other(name, "content") }
        } else {
            guard try await list(name).first(where: { $0.name == name })?.size == bytes else { throw Self.other(name, "size") }
        }
    }

    private static func other(_ name: String, _ what: String) -> BackupStoreError {
        .unavailable("\(name) has another \(what) in the store than what was sent")
    }
}
