import CLZ4
import Crypto
import Foundation
import Glibc
import SparkFiles

/// Writes one part of the database: pages as an LZ4 frame, which Debian's `lz4` opens. Pages of a database shrink to about half, and
/// LZ4 takes less time than the disk.
///
/// Uses a megabyte or two, whatever the size. Blocks.
final class PartWriter {
    /// The bytes that are compressed at once.
    static let piece = 1 << 20

    private let descriptor: Int32
    private let path: String
    private let context: OpaquePointer
    private var buffer: [UInt8]
    private var offset = 0

    /// Creates the file.
    init(_ file: URL) throws {
        self.path = file.path
        do throws(FileFault) {
            self.descriptor = try SystemFiles().create(path)
        } catch {
            throw FileError(operation: "create", path: path, fault: error)
        }
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            close(descriptor)
            throw FileError(operation: "compress", path: path, fault: FileFault(code: ENOMEM))
        }
        self.context = context
        var preferences = Self.preferences
        self.buffer = [UInt8](repeating: 0, count: max(LZ4F_compressBound(Self.piece, &preferences), 64))
        let count = buffer.withUnsafeMutableBytes { LZ4F_compressBegin(context, $0.baseAddress, $0.count, &preferences) }
        try append(count)
    }

    deinit {
        LZ4F_freeCompressionContext(context)
        close(descriptor)
    }

    private static var preferences: LZ4F_preferences_t {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max1MB
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        return preferences
    }

    /// Appends at most `piece` bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let count = buffer.withUnsafeMutableBytes {
            LZ4F_compressUpdate(context, $0.baseAddress, $0.count, bytes.baseAddress, bytes.count, nil)
        }
        try append(count)
    }

    /// Writes the end of the frame.
    func end() throws {
        let count = buffer.withUnsafeMutableBytes { LZ4F_compressEnd(context, $0.baseAddress, $0.count, nil) }
        try append(count)
    }

    private func append(_ count: Int) throws {
        guard LZ4F_isError(count) == 0 else {
            throw FileError(operation: "compress", path: path, fault: FileFault(code: EINVAL))
        }
        do throws(FileFault) {
            let result = buffer.withUnsafeBytes { bytes in
                Result { () throws(FileFault) in
                    try SystemFiles().writeWhole(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
                }
            }
            try result.get()
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
        offset += count
    }
}

/// Reads one part of a database back.
enum PartReader {
    private static let piece = 1 << 20

    /// Unpacks a part and passes its content on in pieces. Blocks.
    /// - Parameter name: the object, for errors.
    /// - Returns: the bytes of the content.
    /// - Throws: `BackupError.damaged`, `FileError`, or what `body` throws.
    static func unpack(_ file: URL, name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int64 {
        let source = open(file.path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileError(operation: "read", path: file.path, fault: FileFault(code: errno)) }
        defer { close(source) }
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            throw FileError(operation: "unpack", path: file.path, fault: FileFault(code: ENOMEM))
        }
        defer { LZ4F_freeDecompressionContext(context) }
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer {
            input.deallocate()
            output.deallocate()
        }
        var (total, hint): (Int64, Int) = (0, 1)
        while true {
            let count = try FileFault.check { read(source, input.baseAddress, input.count) }
            guard count > 0 else { break }
            var position = 0
            while position < count {
                guard hint != 0 else { throw BackupError.damaged("\(name): there is something behind its end") }
                var (taken, made) = (count - position, output.count)
                hint = LZ4F_decompress(context, output.baseAddress, &made, input.baseAddress.map { $0 + position }, &taken, nil)
                guard LZ4F_isError(hint) == 0 else { throw BackupError.damaged("\(name): it cannot be unpacked") }
                position += taken
                total += Int64(made)
                if made > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<made])) }
            }
        }
        guard hint == 0 else { throw BackupError.damaged("\(name): its end is missing") }
        return total
    }
}

/// SHA-256 of files.
enum FileDigest {
    /// The digest in hexadecimal digits. Blocks.
    /// - Throws: `FileError`.
    static func of(_ file: URL) throws -> String {
        let source = open(file.path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileError(operation: "read", path: file.path, fault: FileFault(code: errno)) }
        defer { close(source) }
        var hash = SHA256()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { memory.deallocate() }
        while true {
            let count: Int
            do throws(FileFault) {
                count = try FileFault.check { read(source, memory.baseAddress, memory.count) }
            } catch {
                throw FileError(operation: "read", path: file.path, fault: error)
            }
            guard count > 0 else { return Hexadecimal.text(of: hash.finalize()) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        }
    }
}
