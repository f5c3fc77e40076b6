import CLZ4

/// A copy of a dictionary with room for a value behind it: lz4 decompresses twice as fast where the text it refers back to
/// stands right before its output. Used by one thread at a time.
final class DecompressionRoom {
    /// Longer values are decompressed without it: they gain little.
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

// Whoever has taken it out of `SpillDictionary.rooms`, under that lock, has it alone.
extension DecompressionRoom: @unchecked Sendable {}
