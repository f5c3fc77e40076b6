import Crypto
import SparkCore
import Synchronization

/// 128 bits of a token's SHA-256: to find another text with the same is out of reach, so the text itself need not be kept.
struct TokenFingerprint: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(_ token: String) {
        var token = token
        let digest = token.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        (high, low) = digest.withUnsafeBytes { bytes in
            (bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }
}

/// Remembers whom verified tokens name, so that the next request with one costs a hash and a lookup.
///
/// Bounded: 64 shards of two generations of at most 512. A full young generation becomes the old one, whose rest is
/// forgotten; what is used from the old one moves to the young.
final class PrincipalCache: Sendable {
    private static let shardCount = 64
    static let generationLimit = 512

    private final class Shard: Sendable {
        private struct Generations {
            var young: [TokenFingerprint: Principal] = [:]
            var old: [TokenFingerprint: Principal] = [:]

            mutating func insert(_ principal: Principal, for token: TokenFingerprint) {
                if young.count >= PrincipalCache.generationLimit {
                    old = young
                    young = [:]
                }
                young[token] = principal
            }
        }

        private let generations = Mutex(Generations())

        func principal(for token: TokenFingerprint) -> Principal? {
            generations.withLock { generations in
                if let principal = generations.young[token] { return principal }
                guard let principal = generations.old[token] else { return nil }
                generations.insert(principal, for: token)
                return principal
            }
        }

        func insert(_ principal: Principal, for token: TokenFingerprint) {
            generations.withLock { $0.insert(principal, for: token) }
        }

        var count: Int { generations.withLock { $0.young.count + $0.old.count } }
    }

    private let shards = (0..<PrincipalCache.shardCount).map { _ in Shard() }

    subscript(token: TokenFingerprint) -> Principal? {
        get { shard(of: token).principal(for: token) }
    }

    func insert(_ principal: Principal, for token: TokenFingerprint) {
        shard(of: token).insert(principal, for: token)
    }

    var count: Int { shards.reduce(0) { $0 + $1.count } }

    private func shard(of token: TokenFingerprint) -> Shard {
        shards[Int(truncatingIfNeeded: token.high & UInt64(Self.shardCount - 1))]
    }
}
