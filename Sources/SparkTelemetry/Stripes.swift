import CSparkSystem
import Foundation
import Synchronization

/// Counters that many threads add to, kept in several copies so that threads rarely share a cache line.
///
/// Each thread adds to the stripe of its number. A reader sums all stripes: it sees every addition that happened before, and
/// possibly some concurrent ones.
// @unchecked: every word is an atomic, and the memory is freed only in `deinit`.
final class Stripes: @unchecked Sendable {
    /// The number of processors, rounded up to a power of two, at most 8.
    static let count = 1 << (min(ProcessInfo.processInfo.activeProcessorCount, 8) - 1).bitWidthInUse

    private static let lineBytes = 64

    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    /// Words from one stripe to the next; whole cache lines.
    private let distance: Int
    private let width: Int
    private let mask: UInt32

    /// - Parameters:
    ///   - width: words per stripe, at least 1. All start at 0.
    ///   - count: the number of stripes, a power of two.
    init(width: Int, count: Int) {
        let wordsOfLine = Self.lineBytes / MemoryLayout<UInt64>.size
        let distance = (width + wordsOfLine - 1) / wordsOfLine * wordsOfLine
        self.words = UnsafeMutableRawPointer.allocate(byteCount: distance * count * 8, alignment: Self.lineBytes)
            .bindMemory(to: Atomic<UInt64>.self, capacity: distance * count)
        for index in 0..<distance * count { (words + index).initialize(to: Atomic(0)) }
        self.distance = distance
        self.width = width
        self.mask = UInt32(count - 1)
    }

    deinit {
        words.deinitialize(count: distance * (Int(mask) + 1))
        UnsafeMutableRawPointer(words).deallocate()
    }

    @inline(__always)
    private var own: UnsafeMutablePointer<Atomic<UInt64>> {
        mask == 0 ? words : words + Int(spark_thread_number() & mask) * distance
    }

    /// Adds to a word; wraps around at 2^64.
    @inline(__always)
    func count(_ amount: UInt64, at index: Int) {
        own[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds to a word that holds a floating-point number.
    @inline(__always)
    func add(_ amount: Double, at index: Int) { Self.add(amount, to: own + index) }

    /// Adds one to a word and an amount to another that holds a floating-point number.
    @inline(__always)
    func count(at index: Int, adding amount: Double, at other: Int) {
        let own = own
        own[index].wrappingAdd(1, ordering: .relaxed)
        Self.add(amount, to: own + other)
    }

    @inline(__always)
    private static func add(_ amount: Double, to word: UnsafeMutablePointer<Atomic<UInt64>>) {
        var old = word.pointee.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (isDone, current) = word.pointee.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isDone { return }
            old = current
        }
    }

    /// The sum of an integer word over all stripes.
    func sum(_ index: Int) -> UInt64 {
        var sum: UInt64 = 0
        for stripe in 0...Int(mask) { sum &+= words[stripe * distance + index].load(ordering: .relaxed) }
        return sum
    }

    /// The sum of a floating-point word over all stripes.
    func doubleSum(_ index: Int) -> Double {
        var sum = 0.0
        for stripe in 0...Int(mask) {
            sum += Double(bitPattern: words[stripe * distance + index].load(ordering: .relaxed))
        }
        return sum
    }
}

extension Int {
    /// The number of bits needed to write the number.
    fileprivate var bitWidthInUse: Int { bitWidth - leadingZeroBitCount }
}
