import CLZ4

/// A trained dictionary, ready for both directions.
///
/// Debian's liblz4 does not export `LZ4_attach_dictionary`; so a stream that has the dictionary loaded is kept, and whoever
/// compresses starts from a copy of its state (16 KiB, a third of a microsecond).
final class SpillDictionary {
    /// Unique within a spill; zero means none.
    let version: UInt16
    let namespace: UInt32
    private let text: UnsafeMutableRawBufferPointer
    private let loaded: UnsafeMutablePointer<LZ4_stream_t>

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

    /// Sets a stream to begin with this dictionary, which must outlive what is compressed with it.
    func begin(_ stream: UnsafeMutablePointer<LZ4_stream_t>) {
        UnsafeMutableRawPointer(stream).copyMemory(from: loaded, byteCount: MemoryLayout<LZ4_stream_t>.size)
    }

    /// Nil unless the payload gives exactly `count` bytes.
    static func decompress(_ payload: UnsafeRawBufferPointer, count: Int, with dictionary: SpillDictionary?) -> [UInt8]? {
        guard count > 0, payload.count > 0, let input = Int32(exactly: payload.count), let output = Int32(exactly: count) else {
            return nil
        }
        let source = payload.assumingMemoryBound(to: CChar.self).baseAddress
        var isWhole = false
        let value = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            buffer.withMemoryRebound(to: CChar.self) { target in
                let written: Int32
                if let dictionary {
                    let text = dictionary.text.bindMemory(to: CChar.self)
                    written = LZ4_decompress_safe_usingDict(
                        source, target.baseAddress, input, output, text.baseAddress, Int32(text.count))
                } else {
                    written = LZ4_decompress_safe(source, target.baseAddress, input, output)
                }
                isWhole = written == output
            }
            initialized = isWhole ? count : 0
        }
        return isWhole ? value : nil
    }
}

// Everything in it stands from the initialiser to the deinitialiser, and is only read.
extension SpillDictionary: @unchecked Sendable {}
