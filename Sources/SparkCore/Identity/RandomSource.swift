import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A source of random numbers. Spark draws random numbers from no other place.
public protocol RandomSource: Sendable {
    /// 64 random bits. Callable from any thread.
    func next() -> UInt64
    /// Several times 64 random bits, for callers that need many. Callable from any thread.
    func next(count: Int) -> [UInt64]
}

extension RandomSource {
    /// Calls `next` as often.
    public func next(count: Int) -> [UInt64] { (0..<count).map { _ in next() } }
}

/// The operating system's generator, suitable for secrets.
public struct SystemRandomSource: RandomSource {
    /// The system's generator.
    public init() {}

    /// 64 bits that nobody can predict.
    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    #if canImport(Glibc)
        /// The same, with few calls of the system (arc4random_buf, which never fails).
        public func next(count: Int) -> [UInt64] {
            [UInt64](unsafeUninitializedCapacity: count) { numbers, filled in
                guard let first = numbers.baseAddress else { return }
                arc4random_buf(first, count * MemoryLayout<UInt64>.size)
                filled = count
            }
        }
    #endif
}

/// SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same numbers on every machine. Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that starts at a seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits of the sequence.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Only the finalizer: a good 64-bit hash of an integer.
    public static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A seeded source that threads can share. Not for secrets.
public final class SeededRandomSource: RandomSource {
    private let generator: Mutex<SplitMix64>

    /// A source that starts at a seed.
    public init(seed: UInt64) { generator = Mutex(SplitMix64(seed: seed)) }

    /// The next 64 bits of the sequence. Takes a lock.
    public func next() -> UInt64 { generator.withLock { $0.next() } }
}
