/// The compression of one namespace: gathers samples, trains a dictionary when there are enough, and anew when it no longer
/// fits the values. For one thread.
final class ValueCompressor {
    private(set) var dictionary: SpillDictionary?
    private var samples: [[UInt8]] = []
    private var sampledBytes = 0
    /// Bytes before and after compression, in windows; the first window after the training is the measure of the later ones.
    private var window = (raw: 0, packed: 0)
    private var ratioWhenNew: Double?
    /// Values that come now are sampled.
    private(set) var isSampling = true

    private static let windowBytes = 4 << 20
    /// A window this much worse than the first asks for a new dictionary.
    private static let worsening = 0.85

    init(dictionary: SpillDictionary? = nil) {
        self.dictionary = dictionary
        self.isSampling = dictionary == nil
    }

    /// Takes the value as a sample if samples are wanted. True when there are enough of them.
    func sample(_ value: [UInt8]) -> Bool {
        guard isSampling, !value.isEmpty else { return false }
        // A long value is sampled by its beginning: many values tell more than much of one.
        let piece = value.count <= Self.longestSample ? value : Array(value.prefix(Self.longestSample))
        samples.append(piece)
        sampledBytes += piece.count
        return sampledBytes >= DictionaryTrainer.sampleBytes
    }

    private static let longestSample = 8 << 10

    /// Gives the samples away and stops sampling.
    func takeSamples() -> [[UInt8]] {
        defer {
            samples = []
            sampledBytes = 0
            isSampling = false
            window = (0, 0)
        }
        return samples
    }

    /// Compresses with it from now on.
    func adopt(_ dictionary: SpillDictionary) {
        self.dictionary = dictionary
        ratioWhenNew = nil
        window = (0, 0)
    }

    /// Notes what became of a value.
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
