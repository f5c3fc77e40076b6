import Glibc
import SparkCore

/// The draws that make a trace.
struct Dice {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: SplitMix64.mix(seed)) }

    /// Even in 0..<1.
    mutating func fraction() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    /// Even in 0..<bound.
    mutating func below(_ bound: Int) -> Int {
        Int(generator.next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
    }

    /// Even in the range, both ends included.
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func happens(_ probability: Double) -> Bool { fraction() < probability }

    /// Exponentially distributed with the given mean.
    mutating func exponential(mean: Double) -> Double { -mean * log(1 - fraction()) }
}

/// The sizes of values.
enum ValueSize {
    /// Bytes between the bounds, many small and few large, fixed for each key: the bounds' geometric middle is the median.
    static func of(_ key: Int, from least: Int, to most: Int) -> Int {
        let share = Double(SplitMix64.mix(UInt64(key) &+ 0x5EED) >> 11) * 0x1p-53
        return Int(Double(least) * pow(Double(most) / Double(least), share))
    }

    /// 200 B to 20 kB.
    static func any(_ key: Int) -> Int { of(key, from: 200, to: 20_000) }
}
