import CSparkSystem
import Foundation
import Synchronization

/// Some words that many threads add to, kept several times so that threads seldom meet on a line of memory.
///
/// Each thread adds to the stripe of its number; a reader sums up all stripes, so it sees every addition that happened before, and
/// perhaps some of those that happen meanwhile.
// Every word is an atomic; the memory is given back when nobody holds the object any more.
final class Stripes: @unchecked Sendable {
    /// A power of two, no more than there are processors to write at once, and at most 8.
    static let count = 1 << (min(ProcessInfo.processInfo.activeProcessorCount, 8) - 1).bitWidthInUse

    private static let lineBytes = 64

    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    /// Words from one stripe to the next: whole lines.
    private let distance: Int
    private let width: Int
    private let mask: UInt32

    /// - Parameters:
    ///   - width: words in a stripe, at least 1. All begin at 0.
    ///   - count: a power of two.
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

    /// Adds to a word; wraps round at 2^64.
    @inline(__always)
    func count(_ amount: UInt64, at index: Int) {
        own[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds to a word that holds the bits of a floating-point number.
    @inline(__always)
    func add(_ amount: Double, at index: Int) { Self.add(amount, to: own + index) }

    /// Adds one to a word, and to another one that holds a floating-point number.
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

    /// The sum of a whole-number word.
    func sum(_ index: Int) -> UInt64 {
        var sum: UInt64 = 0
        for stripe in 0...Int(mask) { sum &+= words[stripe * distance + index].load(ordering: .relaxed) }
        return sum
    }

    /// The sum of a floating-point word.
    func doubleSum(_ index: Int) -> Double {
        var sum = 0.0
        for stripe in 0...Int(mask) {
            sum += Double(bitPattern: words[stripe * distance + index].load(ordering: .relaxed))
        }
        return sum
    }
}

extension Int {
    /// Bits that are needed to write the number.
    fileprivate var bitWidthInUse: Int { bitWidth - leadingZeroBitCount }
}
