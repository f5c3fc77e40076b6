/// Independent draws from a Zipf distribution.
public struct ZipfTrace: CacheTrace {
    public let name: String
    public let objectCount: Int
    let exponent: Double
    let count: Int
    let seed: UInt64

    /// - Parameter exponent: 0.9 is what web caches see; 1.0 is steeper.
    public init(exponent: Double, objects: Int, requests: Int, seed: UInt64) {
        self.name = "zipf-\(exponent)"
        self.exponent = exponent
        self.objectCount = objects
        self.count = requests
        self.seed = seed
    }

    public func size(of key: Int) -> Int { ValueSize.any(key) }

    public func requests() -> AnyIterator<TraceRequest> {
        var dice = Dice(seed: seed)
        let draw = ZipfDraw(count: objectCount, exponent: exponent)
        var made = 0
        return AnyIterator {
            guard made < count else { return nil }
            defer { made += 1 }
            let key = draw.rank(&dice)
            return TraceRequest(time: Int64(made), kind: .read, key: UInt32(key), size: UInt32(size(of: key)))
        }
    }
}
