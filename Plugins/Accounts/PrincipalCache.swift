import SparkCore
import Synchronization

/// 128 bits that stand for a token in this process: two passes of the standard library's keyed SipHash, each begun with
/// a secret of its own. Without these nobody can look for another text with the same bits, so the text need not be kept;
/// SHA-256 would serve as well and cost more.
struct TokenFingerprint: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    fileprivate init(_ token: String, secrets: (UInt64, UInt64)) {
        var token = token
        (high, low) = token.withUTF8 { bytes in
            (Self.pass(UnsafeRawBufferPointer(bytes), secrets.0), Self.pass(UnsafeRawBufferPointer(bytes), secrets.1))
        }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }

    private static func pass(_ bytes: UnsafeRawBufferPointer, _ secret: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(secret)
        hasher.combine(bytes: bytes)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
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
    private let secrets: (UInt64, UInt64)

    init(random: any RandomSource) { self.secrets = (random.next(), random.next()) }

    func fingerprint(of token: String) -> TokenFingerprint { TokenFingerprint(token, secrets: secrets) }

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
