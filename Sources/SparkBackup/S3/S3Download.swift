import Crypto
import Foundation
import Glibc
import NIOCore
import SparkFiles
import Synchronization

/// A file that is being downloaded: a draft beside its name, which it gets when it is complete and checked.
final class S3Download: Sendable {
    private let path: String
    private let draft: String
    private let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        var digest = SHA256()
        var count: Int64 = 0
    }

    private init(path: String, draft: String, descriptor: Int32) {
        (self.path, self.draft, self.descriptor) = (path, draft, descriptor)
    }

    deinit { close(descriptor) }

    static func begin(_ path: String) async throws -> S3Download {
        // The ending of drafts, which are removed after a crash.
        let draft = path + ".new"
        return try await S3File.blocking {
            let flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
            let descriptor = Int32(try S3File.checked("create", draft) { Int(open(draft, flags, 0o600)) })
            return S3Download(path: path, draft: draft, descriptor: descriptor)
        }
    }

    /// How many bytes are there.
    var count: Int64 { state.withLock { $0.count } }

    /// Adds bytes at the end.
    func append(_ buffer: ByteBuffer) async throws {
        try await S3File.blocking { [self] in
            let bytes = buffer.readableBytesView
            try bytes.withUnsafeBytes { bytes in
                do throws(FileFault) {
                    try SystemFiles().writeWhole(descriptor, bytes, at: Int(count))
                } catch {
                    throw BackupStoreError.refused(
                        error.isOutOfSpace
                            ? "\(path): the disk is full; make room there, or name another place"
                            : "\(FileError(operation: "write", path: path, fault: error))")
                }
                state.withLock { state in
                    state.digest.update(bufferPointer: bytes)
                    state.count += Int64(bytes.count)
                }
            }
        }
    }

    /// Begins again.
    func reset() async throws {
        try await S3File.blocking { [self] in
            _ = try S3File.checked("write", draft) { Int(ftruncate(descriptor, 0)) }
            state.withLock { $0 = State() }
        }
    }

    /// SHA-256 of what is there, in hexadecimal digits.
    var digest: String { state.withLock { $0.digest.finalize().hexadecimal } }

    /// Gives the file its name. It is on the disk then.
    func finish() async throws {
        try await S3File.blocking { [self] in
            _ = try S3File.checked("write", draft) { Int(fsync(descriptor)) }
            _ = try S3File.checked("rename", draft) { Int(rename(draft, path)) }
        }
    }

    /// Removes the draft, also when the task is cancelled.
    func discard() async {
        // Best effort: a sweep removes a draft that stays.
        _ = await Task { [draft] in try await S3File.blocking { _ = unlink(draft) } }.result
    }
}
