import CLZ4
import Synchronization

/// A trained dictionary, ready for both directions.
///
/// Debian's liblz4 does not export `LZ4_attach_dictionary`. So a stream with the loaded dictionary is kept, and each compression
/// starts from a copy of its state (16 KiB, a third of a microsecond).
final class SpillDictionary {
    /// Unique within a spill; 0 means no dictionary.
    let version: UInt16
    let namespace: UInt32
    private let text: UnsafeMutableRawBufferPointer
    private let loaded: UnsafeMutablePointer<LZ4_stream_t>
    /// Buffers that no thread uses now.
    private let buffers = Mutex<[DecompressionBuffer]>([])

    private static let maximumBuffers = 4

    init(version: UInt16, namespace: UInt32, text: [UInt8]) {
        self.version = version
        self.namespace = namespace
        self.text = .allocate(byteCount: max(1, text.count), alignment: 8)
        self.text.copyBytes(from: text)
        self.loaded = .allocate(capacity: 1)
        LZ4_initStream(loaded, MemoryLayout<LZ4_stream_t>.size)
        LZ4_loadDict(loaded, self.text.bindMemory(to: CChar.self).baseAddress, Int32(text.count))
    }

    deinit {
        text.deallocate()
        loaded.deallocate()
    }

    var bytes: [UInt8] { Array(text) }

    /// Prepares a stream with this dictionary, which must outlive the compression.
    func begin(_ stream: UnsafeMutablePointer<LZ4_stream_t>) {
        UnsafeMutableRawPointer(stream).copyMemory(from: loaded, byteCount: MemoryLayout<LZ4_stream_t>.size)
    }

    /// Nil unless the payload gives exactly `count` bytes.
    func decompress(_ payload: UnsafeRawBufferPointer, count: Int) -> [UInt8]? {
        guard count <= DecompressionBuffer.valueBytes else { return Self.decompress(payload, count: count, after: text) }
        let buffer = buffers.withLock { $0.popLast() } ?? DecompressionBuffer(after: text)
        defer {
            buffers.withLock {
                if $0.count < Self.maximumBuffers { $0.append(buffer) }
            }
        }
        return buffer.decompress(payload, count: count)
    }

    /// The same without a dictionary, or with one at any address.
    static func decompress(_ payload: UnsafeRawBufferPointer, count: Int, after text: UnsafeMutableRawBufferPointer? = nil)
        -> [UInt8]?
    {
        guard count > 0, payload.count > 0, let input = Int32(exactly: payload.count), let output = Int32(exactly: count) else {
            return nil
        }
        let source = payload.assumingMemoryBound(to: CChar.self).baseAddress
        let dictionary = text?.assumingMemoryBound(to: CChar.self)
        var isWhole = false
        let value = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            buffer.withMemoryRebound(to: CChar.self) { target in
                isWhole =
                    output
                    == LZ4_decompress_safe_usingDict(
                        source, target.baseAddress, input, output, dictionary?.baseAddress, Int32(dictionary?.count ?? 0))
            }
            initialized = isWhole ? count : 0
        }
        return isWhole ? value : nil
    }
}

// The pointers do not change between `init` and `deinit` and are only read; the buffers are under their lock.
extension SpillDictionary: @unchecked Sendable {}

/// A copy of a dictionary with room for a value behind it. lz4 decompresses twice as fast when the text it refers to is right
/// before its output. Used by one thread at a time.
final class DecompressionBuffer {
    /// Longer values are decompressed without it, because they gain little.
    static let valueBytes = 16 << 10

    private let memory: UnsafeMutableBufferPointer<CChar>
    private let textBytes: Int

    init(after text: UnsafeMutableRawBufferPointer) {
        textBytes = text.count
        memory = .allocate(capacity: text.count + Self.valueBytes)
        UnsafeMutableRawBufferPointer(memory).copyMemory(from: UnsafeRawBufferPointer(text))
    }

    deinit { memory.deallocate() }

    /// Nil unless the payload gives exactly `count` bytes, at most `valueBytes`.
    func decompress(_ payload: UnsafeRawBufferPointer, count: Int) -> [UInt8]? {
        guard count > 0, count <= Self.valueBytes, let input = Int32(exactly: payload.count), input > 0 else { return nil }
        let source = payload.assumingMemoryBound(to: CChar.self).baseAddress
        let target = UnsafeMutableBufferPointer(rebasing: memory[textBytes..<(textBytes + count)])
        let written = LZ4_decompress_safe_usingDict(
            source, target.baseAddress, input, Int32(count), memory.baseAddress, Int32(textBytes))
        return written == Int32(count) ? [UInt8](UnsafeRawBufferPointer(target)) : nil
    }
}

// A thread that takes a buffer from `SpillDictionary.buffers`, under its lock, is its only user.
extension DecompressionBuffer: @unchecked Sendable {}
