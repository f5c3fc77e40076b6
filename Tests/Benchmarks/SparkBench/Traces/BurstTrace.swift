/// Sessions: a user comes, reads their own few entries again and again, some popular ones beside them, and leaves.
public struct BurstTrace: CacheTrace {
    public let name = "bursts"
    public let objectCount: Int
    let users: Int
    let shared: Int
    let count: Int
    let seed: UInt64
    private static let own = 6
    private static let atOnce = 500

    /// - Parameter objects: six of seven belong to users, six each.
    public init(objects: Int, requests: Int, seed: UInt64) {
        self.users = max(1, objects / (Self.own + 1))
        self.shared = users
        self.objectCount = users * (Self.own + 1)
        self.count = requests
        self.seed = seed
    }

    public func size(of key: Int) -> Int { ValueSize.any(key) }

    public func requests() -> AnyIterator<TraceRequest> {
        var dice = Dice(seed: seed)
        let popular = ZipfDraw(count: shared, exponent: 0.9)
        let active = ZipfDraw(count: users, exponent: 0.6)
        var sessions: [(user: Int, left: Int)] = (0..<min(Self.atOnce, users)).map { _ in (0, 0) }
        var made = 0
        return AnyIterator {
            guard made < count else { return nil }
            defer { made += 1 }
            let slot = dice.below(sessions.count)
            if sessions[slot].left == 0 { sessions[slot] = (active.rank(&dice), dice.within(10...70)) }
            sessions[slot].left -= 1
            let user = sessions[slot].user
            let key = dice.happens(0.7) ? shared + user * Self.own + dice.below(Self.own) : popular.rank(&dice)
            return TraceRequest(
                time: Int64(made), kind: .read, key: UInt32(key), size: UInt32(size(of: key)), user: UInt32(user))
        }
    }
}
