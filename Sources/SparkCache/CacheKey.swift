import Crypto
public import SparkCore

/// The key of an entry within its namespace: 128 bits that name one thing.
public struct CacheKey: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64 = 0, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The key of a text or of any bytes: the first 128 bits of their SHA-256, about 0.5 µs.
    public init(digesting bytes: some Sequence<UInt8>) {
        let digest = SHA256.hash(data: Array(bytes))
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in digest.prefix(16).enumerated() {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        self.init(high: words.0, low: words.1)
    }
}

/// Something that can stand as the key of a namespace. Two things are equal exactly when their cache keys are.
public protocol CacheKeyed: Sendable {
    var cacheKey: CacheKey { get }
}

extension CacheKey: CacheKeyed {
    public var cacheKey: CacheKey { self }
}

extension Identifier: CacheKeyed {
    public var cacheKey: CacheKey { CacheKey(low: UInt64(bitPattern: rawValue)) }
}

/// A key with the namespace it belongs to: what a tier files an entry under.
struct EntryKey: Hashable, Sendable {
    let key: CacheKey
    /// See `NamespacePolicy.identity`.
    let namespace: UInt32

    init(namespace: UInt32, key: CacheKey) {
        self.key = key
        self.namespace = namespace
    }

    /// Spreads keys over shards and slots: two folded multiplications (the mixing step of wyhash), seeded, about 3 ns.
    /// The same in every process that has the same seed, as the index of a spill that outlives the process needs.
    func hash(seed: UInt64) -> UInt64 {
        let first = Self.fold(key.low ^ seed, key.high ^ 0x9E37_79B9_7F4A_7C15)
        return Self.fold(first ^ UInt64(namespace) &* 0xD6E8_FEB8_6659_FD93, seed ^ 0xA076_1D64_78BD_642F)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
