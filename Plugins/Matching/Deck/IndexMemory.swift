import SparkDecks

/// The memory of an index that was captured with a snapshot.
// The pointer is never changed. What it points to belongs to the one index, which guards it with a lock.
final class IndexMemory: @unchecked Sendable {
    /// What captured indexes are saved under. They do not leave the process.
    static let mark = [UInt8](repeating: 0, count: IndexMark.bytes)

    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies the bytes to memory that begins at a page.
    init(_ captured: [UInt8]) {
        bytes = .allocate(byteCount: max(1, captured.count), alignment: 16_384)
        bytes.copyBytes(from: captured)
    }

    deinit { bytes.deallocate() }

    /// The index, which keeps this memory; nil for bytes that are no saved index.
    var index: DeckIndex? { DeckIndex(savedUnder: Self.mark, bytes, memory: self) }
}
