import SparkCore

/// The random draws for one person, in a fixed order: the same numbers on every machine.
struct Draw {
    private var generator: SplitMix64

    /// - Parameter stream: different for each person of a town.
    init(seed: UInt64, stream: UInt64) {
        generator = SplitMix64(seed: Self.hash(seed: seed, stream: stream))
    }

    /// 64 uniform bits for a pair: the start of a stream.
    static func hash(seed: UInt64, stream: UInt64) -> UInt64 {
        SplitMix64.mix(SplitMix64.mix(seed) &+ stream &* 0x9E37_79B9_7F4A_7C15)
    }

    /// Uniform in 0..<bound; 0 for bounds below 1. The bias, below bound ÷ 2^64, does not matter here.
    mutating func below(_ bound: Int) -> Int {
        Int(generator.next().multipliedFullWidth(by: UInt64(max(0, bound))).high)
    }

    /// Uniform in a range, both ends included.
    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// Uniform in 0..<1, with 53 bits.
    mutating func fraction() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    /// True with the given probability in thousandths.
    mutating func happens(perMille: Int) -> Bool { below(1_000) < perMille }

    /// Exponentially distributed with mean 1; at most 37.
    mutating func exponential() -> Double { -logarithm(Double(generator.next() >> 11 + 1) * 0x1p-53) }

    /// One of the values, all equally likely.
    /// - Precondition: there is at least one.
    mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }

    /// One of the values, according to their shares.
    mutating func one<Value>(of shares: Shares<Value>) -> Value { one(of: shares.slots) }

    /// Distinct indices below `total`, one from each of `count` equal strips that begin at a random place. Needs no memory of
    /// earlier indices.
    /// - Parameter count: at most `total`.
    mutating func spread(_ count: Int, of total: Int, _ take: (Int) -> Void) {
        let offset = below(total)
        for strip in 0..<count {
            let start = strip * total / count
            let end = (strip + 1) * total / count
            take((offset + start + below(end - start)) % total)
        }
    }
}

/// Values with their shares in percent, laid out so that a draw is one look-up.
struct Shares<Value: Sendable>: Sendable {
    fileprivate let slots: [Value]

    /// - Precondition: the shares sum to 100.
    init(_ shares: KeyValuePairs<Int, Value>) {
        slots = shares.flatMap { Array(repeating: $0.value, count: $0.key) }
        precondition(slots.count == 100, "the shares do not sum to 100")
    }
}
