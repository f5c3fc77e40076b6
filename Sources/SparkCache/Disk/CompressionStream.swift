import CLZ4

/// The working memory of lz4's compressor. For one thread.
final class CompressionStream {
    private let stream: UnsafeMutablePointer<LZ4_stream_t>
    private var output: UnsafeMutableRawBufferPointer

    init() {
        stream = .allocate(capacity: 1)
        output = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        stream.deallocate()
        output.deallocate()
    }

    /// Nil where the value does not shrink by a sixteenth. What returns is overwritten by the next call.
    func compress(_ value: UnsafeRawBufferPointer, with dictionary: SpillDictionary?) -> UnsafeRawBufferPointer? {
        let limit = value.count - max(1, value.count / 16)
        guard value.count >= 16, let count = Int32(exactly: value.count) else { return nil }
        if output.count < limit {
            output.deallocate()
            output = .allocate(byteCount: limit, alignment: 16)
        }
        if let dictionary { dictionary.begin(stream) } else { LZ4_initStream(stream, MemoryLayout<LZ4_stream_t>.size) }
        let source = value.assumingMemoryBound(to: CChar.self).baseAddress
        let target = output.assumingMemoryBound(to: CChar.self).baseAddress
        let written = LZ4_compress_fast_continue(stream, source, target, count, Int32(limit), 1)
        return written > 0 ? UnsafeRawBufferPointer(rebasing: output[..<Int(written)]) : nil
    }
}
