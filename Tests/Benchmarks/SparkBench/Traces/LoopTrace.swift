/// The same rows over and over, as a report or a batch job reads them, beside a Zipf trace: the worst case of LRU.
public struct LoopTrace: CacheTrace {
    public let name = "loop"
    public let objectCount: Int
    let count: Int
    let seed: UInt64

    /// - Parameter objects: a tenth of them is in the loop.
    public init(objects: Int, requests: Int, seed: UInt64) {
        self.objectCount = objects
        self.count = requests
        self.seed = seed
    }

    public func size(of key: Int) -> Int { ValueSize.any(key) }

    public func requests() -> AnyIterator<TraceRequest> {
        var dice = Dice(seed: seed)
        let length = max(1, objectCount / 10)
        let draw = ZipfDraw(count: objectCount - length, exponent: 0.9)
        var made = 0
        var position = 0
        return AnyIterator {
            guard made < count else { return nil }
            defer { made += 1 }
            let key: Int
            if dice.happens(0.7) {
                key = position
                position = (position + 1) % length
            } else {
                key = length + draw.rank(&dice)
            }
            return TraceRequest(time: Int64(made), kind: .read, key: UInt32(key), size: UInt32(size(of: key)))
        }
    }
}
