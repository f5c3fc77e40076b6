import CLZ4

/// The compression of one namespace: gathers samples, trains a dictionary when there are enough, and again when the dictionary no
/// longer fits the values. For one thread.
final class ValueCompressor {
    private(set) var dictionary: SpillDictionary?
    private var samples: [[UInt8]] = []
    private var sampledBytes = 0
    /// Bytes before and after compression in the current window. Later windows are compared with the first one after the
    /// training.
    private var window = (raw: 0, packed: 0)
    private var ratioWhenNew: Double?
    /// Whether values are sampled now.
    private(set) var isSampling = true

    private static let windowBytes = 4 << 20
    /// A ratio this much lower than the first asks for a new dictionary.
    private static let worsening = 0.85

    init(dictionary: SpillDictionary? = nil) {
        self.dictionary = dictionary
        self.isSampling = dictionary == nil
    }

    /// Takes the value as a sample if samples are wanted.
    /// - Returns: whether there are enough samples.
    func sample(_ value: [UInt8]) -> Bool {
        guard isSampling, !value.isEmpty else { return false }
        // Only the beginning of a long value is sampled: many values are worth more than much of one.
        let piece = value.count <= Self.longestSample ? value : Array(value.prefix(Self.longestSample))
        samples.append(piece)
        sampledBytes += piece.count
        return sampledBytes >= DictionaryTrainer.sampleBytes
    }

    private static let longestSample = 8 << 10

    /// Returns the samples and stops sampling.
    func takeSamples() -> [[UInt8]] {
        defer {
            samples = []
            sampledBytes = 0
            isSampling = false
            window = (0, 0)
        }
        return samples
    }

    /// Uses the dictionary from now on.
    func adopt(_ dictionary: SpillDictionary) {
        self.dictionary = dictionary
        ratioWhenNew = nil
        window = (0, 0)
    }

    /// Notes the size of a value before and after compression.
    func note(raw: Int, packed: Int) {
        window.raw += raw
        window.packed += packed
        guard window.raw >= Self.windowBytes else { return }
        let ratio = Double(window.raw) / Double(max(1, window.packed))
        window = (0, 0)
        guard let first = ratioWhenNew else {
            ratioWhenNew = ratio
            return
        }
        if ratio < first * Self.worsening { isSampling = true }
    }
}

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

    /// Nil when the value does not shrink by a sixteenth. The next call overwrites the result.
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
