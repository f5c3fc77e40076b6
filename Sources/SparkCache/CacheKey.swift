import Crypto
public import SparkCore

/// The key of an entry within its namespace: 128 bits that identify one thing.
public struct CacheKey: Hashable, Sendable {
    /// The upper 64 bits.
    public let high: UInt64
    /// The lower 64 bits.
    public let low: UInt64

    /// A key of two numbers, or of one.
    public init(high: UInt64 = 0, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The key of a text or of any bytes: the first 128 bits of their SHA-256. About 0.5 µs for a short text.
    public init(digesting bytes: some Sequence<UInt8>) {
        let digest = SHA256.hash(data: Array(bytes))
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in digest.prefix(16).enumerated() {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        self.init(high: words.0, low: words.1)
    }
}

/// A type that can be the key of a namespace. Two values are equal exactly when their cache keys are.
public protocol CacheKeyed: Sendable {
    /// The bits that identify the value. Read on every access, so it must be cheap.
    var cacheKey: CacheKey { get }
}

extension CacheKey: CacheKeyed {
    /// The key itself.
    public var cacheKey: CacheKey { self }
}

extension Identifier: CacheKeyed {
    /// The identifier's raw value in the lower 64 bits.
    public var cacheKey: CacheKey { CacheKey(low: UInt64(bitPattern: rawValue)) }
}

/// A type that can be the value of a namespace: it knows its size in memory and its encoding for the disk.
public protocol CacheValue: Sendable {
    /// Bytes of memory that the value takes, without the entry around it. An estimate, rather too high than too low.
    var cacheCost: Int { get }
    /// Appends the encoding of the value.
    func encode(into bytes: inout [UInt8])
    /// Reads an encoding; nil when the bytes are not one. The bytes come from the disk: they are authentic, but an older version of the
    /// program may have written them.
    static func decode(_ bytes: [UInt8]) -> Self?
}

/// Bytes are their own encoding.
extension [UInt8]: CacheValue {
    /// The array's header and storage, rounded as malloc does.
    public var cacheCost: Int { (capacity + 32 + 15) & ~15 }
    /// Appends the bytes.
    public func encode(into bytes: inout [UInt8]) { bytes += self }
    /// The bytes themselves; never nil.
    public static func decode(_ bytes: [UInt8]) -> [UInt8]? { bytes }
}

/// A key together with its namespace: what the tiers store an entry under.
struct EntryKey: Hashable, Sendable {
    let key: CacheKey
    /// See `NamespacePolicy.identity`.
    let namespace: UInt32

    init(namespace: UInt32, key: CacheKey) {
        self.key = key
        self.namespace = namespace
    }

    /// Spreads keys over shards and slots: two folded multiplications (the mixing step of wyhash), about 3 ns.
    ///
    /// The same in every process with the same seed. The index of a spill that outlives the process depends on it.
    func hash(seed: UInt64) -> UInt64 {
        let first = Self.fold(key.low ^ seed, key.high ^ 0x9E37_79B9_7F4A_7C15)
        return Self.fold(first ^ UInt64(namespace) &* 0xD6E8_FEB8_6659_FD93, seed ^ 0xA076_1D64_78BD_642F)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
