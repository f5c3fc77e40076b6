import Crypto
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SparkFiles
import Synchronization

/// A file that is uploaded. It is read on threads for blocking work, and closed with the last reference.
final class S3File: Sendable {
    /// How much is read at once, in bytes.
    static let bufferBytes = 262_144

    let path: String
    let size: Int64
    private let descriptor: Int32

    /// The digests of a file: of all of it, and of each part.
    struct Digests: Sendable {
        let whole: String
        let parts: [String]
    }

    private init(path: String, descriptor: Int32, size: Int64) {
        (self.path, self.descriptor, self.size) = (path, descriptor, size)
    }

    deinit { close(descriptor) }

    static func open(_ path: String) async throws -> S3File {
        try await blocking {
            let descriptor = Int32(try checked("read", path) { Int(Glibc.open(path, O_RDONLY | O_CLOEXEC)) })
            guard let status = FileStatus(descriptor: descriptor) else {
                close(descriptor)
                throw BackupStoreError.refused("read \(path): its size is not known")
            }
            return S3File(path: path, descriptor: descriptor, size: status.bytes)
        }
    }

    /// Reads the whole file.
    /// - Parameter partSize: the length of every part but the last.
    func digests(partSize: Int64) async throws -> Digests {
        try await Self.blocking { [self] in
            var (whole, part, parts) = (SHA256(), SHA256(), [String]())
            var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
            var (offset, partEnd) = (Int64(0), partSize)
            while offset < size {
                let wanted = Int(min(Int64(buffer.count), size - offset, partEnd - offset))
                let count = try buffer.withUnsafeMutableBytes { buffer in
                    let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
                    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    whole.update(bufferPointer: bytes)
                    part.update(bufferPointer: bytes)
                    return count
                }
                offset += Int64(count)
                if offset == partEnd || offset == size {
                    parts.append(part.finalize().hexadecimal)
                    (part, partEnd) = (SHA256(), partEnd + partSize)
                }
            }
            return Digests(whole: whole.finalize().hexadecimal, parts: parts)
        }
    }

    /// Some bytes of the file as the body of a request.
    /// - Parameter pulse: beats with every piece that is asked for.
    func bytes(_ range: Range<Int64>, _ pulse: S3Pulse) -> Bytes { Bytes(file: self, range: range, pulse: pulse) }

    struct Bytes: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let file: S3File
        let range: Range<Int64>
        let pulse: S3Pulse

        func makeAsyncIterator() -> Iterator { Iterator(file: file, pulse: pulse, rest: range) }

        struct Iterator: AsyncIteratorProtocol {
            fileprivate let file: S3File
            fileprivate let pulse: S3Pulse
            fileprivate var rest: Range<Int64>

            mutating func next() async throws -> ByteBuffer? {
                guard !rest.isEmpty else {
                    pulse.end()
                    return nil
                }
                pulse.beat()
                let (file, offset, wanted) = (file, rest.lowerBound, Swift.min(S3File.bufferBytes, rest.count))
                let buffer = try await S3File.blocking {
                    var buffer = ByteBufferAllocator().buffer(capacity: wanted)
                    try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) {
                        try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]), at: offset)
                    }
                    return buffer
                }
                rest = (offset + Int64(buffer.readableBytes))..<rest.upperBound
                return buffer
            }
        }
    }

    /// Reads at least one byte.
    private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let count = try Self.checked("read", path) { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        guard count > 0 else { throw BackupStoreError.refused("read \(path): it became shorter while it was uploaded") }
        return count
    }

    static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    /// A system call on a file; its failure is one that somebody must do something about.
    static func checked(_ operation: String, _ path: String, _ call: () -> Int) throws(BackupStoreError) -> Int {
        do throws(FileFault) {
            return try FileFault.check(call)
        } catch {
            throw .refused("\(FileError(operation: operation, path: path, fault: error))")
        }
    }
}
