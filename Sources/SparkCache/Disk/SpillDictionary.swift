import CLZ4
import Synchronization

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
    /// Those that no thread uses now.
    private let rooms = Mutex<[DecompressionRoom]>([])

    private static let mostRooms = 4

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
    func decompress(_ payload: UnsafeRawBufferPointer, count: Int) -> [UInt8]? {
        guard count <= DecompressionRoom.valueBytes else { return Self.decompress(payload, count: count, after: text) }
        let room = rooms.withLock { $0.popLast() } ?? DecompressionRoom(after: text)
        defer {
            rooms.withLock {
                if $0.count < Self.mostRooms { $0.append(room) }
            }
        }
        return room.decompress(payload, count: count)
    }

    /// The same without a dictionary, or with one that stands anywhere.
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

// The pointers stand from the initialiser to the deinitialiser and are only read; the rooms are under `rooms`.
extension SpillDictionary: @unchecked Sendable {}
