import SparkCore
import SparkKit
import Synchronization

/// Token buckets by user or network, one set per rate-limit class (draft-ietf-httpapi-ratelimit-headers).
///
/// A request with a valid token is charged to its user's bucket only, every other request to its network's bucket, so neither can
/// empty the other's. Memory is bounded: a full shard forgets the buckets that are full again, then any buckets it meets first.
final class RateLimiter: Sendable {
    struct Policy: Sendable {
        /// Requests per window; 0 for no limit.
        let quota: Int
        let window: Duration = .seconds(60)

        init(quota: Int) { self.quota = quota }
    }

    /// A policy as answers name it.
    final class NamedPolicy: Sendable {
        let policy: Policy
        /// The class of the request, and whose bucket it is.
        let name: String
        /// The value of `RateLimit-Policy`.
        let header: String

        fileprivate init(_ policy: Policy, _ name: String) {
            (self.policy, self.name) = (policy, name)
            self.header = "\"\(name)\";q=\(policy.quota);w=\(policy.window.roundedUpSeconds)"
        }
    }

    /// The bucket's answer for a request.
    struct Verdict: Sendable {
        let policy: NamedPolicy
        let remaining: Int
        /// The time until the bucket is full again; of an empty one, until the next request is admitted.
        let reset: Duration
        /// The time until the next request is admitted; nil when this one is.
        let retryAfter: Duration?
    }

    /// Whose bucket a request is charged to.
    enum Client: Hashable, Sendable {
        case user(UserID)
        /// An IPv4 address or an IPv6 /64; nil for requests made inside the process.
        case network(NetworkAddress?)

        /// The network of an address.
        static func at(_ address: NetworkAddress?) -> Client { .network(address?.network) }
    }

    private struct Key: Hashable {
        let rateLimit: Route.RateLimit
        let client: Client
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: Timestamp
    }

    private final class Shard: Sendable {
        let buckets = Mutex<[Key: Bucket]>([:])
    }

    private static let entriesPerShard = 4_096
    private let shards: [Shard] = (0..<32).map { _ in Shard() }
    private let policies: [Route.RateLimit: (user: NamedPolicy, network: NamedPolicy)]
    private let clock: any WallClock

    init(policies: [Route.RateLimit: Policy], clock: any WallClock) {
        self.policies = Dictionary(
            uniqueKeysWithValues: policies.map { kind, policy in
                (kind, (NamedPolicy(policy, kind.rawValue), NamedPolicy(policy, kind.rawValue + "-network")))
            })
        self.clock = clock
    }

    /// Takes one token from a client's bucket; returns nil where there is no limit.
    func admit(_ client: Client, _ rateLimit: Route.RateLimit) -> Verdict? {
        guard let names = policies[rateLimit], names.user.policy.quota > 0 else { return nil }
        let named = if case .user = client { names.user } else { names.network }
        let policy = named.policy
        let key = Key(rateLimit: rateLimit, client: client)
        let now = clock.now()
        let quota = Double(policy.quota)
        let perSecond = quota / policy.window.inSeconds
        return shards[Int(truncatingIfNeeded: UInt(bitPattern: key.hashValue) % 32)].buckets.withLock { buckets in
            if buckets.count >= Self.entriesPerShard, buckets[key] == nil {
                makeRoom(in: &buckets, now: now)
            }
            var bucket = buckets[key] ?? Bucket(tokens: quota, filledAt: now)
            let elapsed = max(0, (now - bucket.filledAt).inSeconds)
            bucket.tokens = min(quota, bucket.tokens + elapsed * perSecond)
            bucket.filledAt = now
            let isAdmitted = bucket.tokens >= 1
            if isAdmitted { bucket.tokens -= 1 }
            buckets[key] = bucket
            func time(until tokens: Double) -> Duration { .seconds((tokens - bucket.tokens) / perSecond) }
            return Verdict(
                policy: named, remaining: Int(bucket.tokens), reset: time(until: bucket.tokens < 1 ? 1 : quota),
                retryAfter: isAdmitted ? nil : time(until: 1))
        }
    }

    /// Makes the buckets part of snapshots.
    var fixtureState: FixtureState {
        FixtureState(module: "http") { [self] in
            shards.map { shard in shard.buckets.withLock { $0 } }
        } restore: { [self] saved in
            for (shard, buckets) in zip(shards, saved) { shard.buckets.withLock { $0 = buckets } }
        }
    }

    /// Frees a quarter of the shard, so that the next new clients cost nothing.
    private func makeRoom(in buckets: inout [Key: Bucket], now: Timestamp) {
        buckets = buckets.filter { key, bucket in
            guard let policy = policies[key.rateLimit]?.user.policy else { return false }
            let perSecond = Double(policy.quota) / policy.window.inSeconds
            return bucket.tokens + (now - bucket.filledAt).inSeconds * perSecond < Double(policy.quota)
        }
        let excess = buckets.count - Self.entriesPerShard / 4 * 3
        guard excess > 0 else { return }
        for key in Array(buckets.keys.prefix(excess)) { buckets[key] = nil }
    }
}
