public import Foundation
import Glibc
import SparkFiles

/// Encryption in the format of age, version 1 (https://age-encryption.org/v1), by X25519: `age -d` opens what this writes, and this
/// opens what `age -r` writes.
///
/// Everything here blocks, on the disk and the processor: call it on a thread of your own, never on an event loop or in a task.
/// Memory is bounded by some chunks of 64 KiB, whatever the size of a file; the variants for small data hold everything.
public enum Age {
    /// Encrypts a file into another, which appears under its name only when it is complete.
    /// - Parameter isLasting: whether the new file is synchronized to the disk.
    /// - Throws: `AgeError`, or `FileError` for either file.
    public static func encrypt(_ file: URL, to recipients: [AgeRecipient], into target: URL, isLasting: Bool = false) throws {
        try reading(file) { read in
            try DurableFile.replace(target.path, isLasting: isLasting) { write in
                try encrypt(reading: read, to: recipients, writing: write)
            }
        }
    }

    /// Decrypts a file into another, which appears under its name only when everything was read and found authentic.
    /// - Parameter isLasting: whether the new file is synchronized to the disk.
    /// - Throws: `AgeError`, or `FileError` for either file.
    public static func decrypt(
        _ file: URL, with identities: [AgeIdentity], into target: URL, isLasting: Bool = false
    ) throws {
        try reading(file) { read in
            try DurableFile.replace(target.path, isLasting: isLasting) { write in
                try decrypt(reading: read, with: identities, writing: write)
            }
        }
    }

    /// Encrypts small data.
    /// - Throws: `AgeError`.
    public static func encrypt(_ bytes: [UInt8], to recipients: [AgeRecipient]) throws -> [UInt8] {
        var (source, result) = (MemorySource(bytes), [UInt8]())
        try encrypt(reading: { source.read($0) }, to: recipients, writing: { result += $0 })
        return result
    }

    /// Decrypts small data.
    /// - Throws: `AgeError`.
    public static func decrypt(_ bytes: [UInt8], with identities: [AgeIdentity]) throws -> [UInt8] {
        var (source, result) = (MemorySource(bytes), [UInt8]())
        try decrypt(reading: { source.read($0) }, with: identities, writing: { result += $0 })
        return result
    }

    /// Encrypts a stream.
    /// - Parameters:
    ///   - read: fills the beginning of a buffer and returns how many bytes it wrote; 0 at the end.
    ///   - write: takes the next encrypted bytes.
    /// - Throws: `AgeError`, and what `read` and `write` throw.
    public static func encrypt(
        reading read: (UnsafeMutableRawBufferPointer) throws -> Int, to recipients: [AgeRecipient],
        writing write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var sealer = try AgeSealer(to: recipients)
        try sealer.header.withUnsafeBytes { try write($0) }
        try withChunks(of: AgeSealer.chunkBytes, after: [], reading: read) { chunk, isLast in
            try sealer.seal(chunk, isLast: isLast).withUnsafeBytes { try write($0) }
        }
    }

    /// Decrypts a stream. What was written is worthless if this throws in the end: it may lack its end.
    /// - Parameters:
    ///   - read: fills the beginning of a buffer and returns how many bytes it wrote; 0 at the end.
    ///   - write: takes the next decrypted bytes.
    /// - Throws: `AgeError`, and what `read` and `write` throw.
    public static func decrypt(
        reading read: (UnsafeMutableRawBufferPointer) throws -> Int, with identities: [AgeIdentity],
        writing write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        // The header and what is read with it.
        var start = [UInt8](repeating: 0, count: AgeHeader.longest + 16)
        let count = try start.withUnsafeMutableBytes { try fill($0, reading: read) }
        var length = 0
        var opener = try AgeOpener(start[..<count], with: identities, length: &length)
        try withChunks(of: AgeOpener.chunkBytes, after: start[length..<count], reading: read) { chunk, isLast in
            try opener.open(chunk, isLast: isLast).withUnsafeBytes { try write($0) }
        }
    }

    /// Cuts a stream into chunks of one length; the last may be shorter, and is empty only if there is no other.
    /// - Parameter rest: what was read of the stream before; at most `length` bytes are usual, more are fine.
    private static func withChunks(
        of length: Int, after rest: ArraySlice<UInt8>, reading read: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ body: (UnsafeRawBufferPointer, Bool) throws -> Void
    ) throws {
        // One byte more than a chunk is read ahead, to know which chunk is the last.
        var buffer = [UInt8](repeating: 0, count: max(length + 1, rest.count))
        try buffer.withUnsafeMutableBytes { buffer in
            buffer.copyBytes(from: rest)
            var filled = rest.count
            while true {
                if filled <= length {
                    filled += try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), reading: read)
                }
                let isLast = filled <= length
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<min(filled, length)]), isLast)
                if isLast { return }
                filled -= length
                let tail = UnsafeRawBufferPointer(rebasing: buffer[length..<(length + filled)])
                buffer.baseAddress.map { start in tail.baseAddress.map { start.copyMemory(from: $0, byteCount: filled) } }
            }
        }
    }

    /// Reads until a buffer is full or the stream ends.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, reading read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    private static func reading(
        _ file: URL, _ body: ((UnsafeMutableRawBufferPointer) throws -> Int) throws -> Void
    ) throws {
        func checked(_ call: () -> Int) throws -> Int {
            do throws(FileFault) {
                return try FileFault.check(call)
            } catch {
                throw FileError(operation: "read", path: file.path, fault: error)
            }
        }
        let descriptor = Int32(try checked { Int(open(file.path, O_RDONLY | O_CLOEXEC)) })
        defer { close(descriptor) }
        try body { buffer in try checked { Glibc.read(descriptor, buffer.baseAddress, buffer.count) } }
    }
}

/// Bytes read one part after the other.
private struct MemorySource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let part = rest.prefix(buffer.count)
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }
}
