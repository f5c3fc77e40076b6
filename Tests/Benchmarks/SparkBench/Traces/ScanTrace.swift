/// A Zipf trace with occasional single reads of a long range of entries: an export, a crawler, a back-up.
public struct ScanTrace: CacheTrace {
    public let name = "scan"
    public let objectCount: Int
    /// The entries of the Zipf part; the others are only ever scanned.
    let popular: Int
    let count: Int
    let seed: UInt64

    /// - Parameter objects: half of them are popular, half are scanned.
    public init(objects: Int, requests: Int, seed: UInt64) {
        self.objectCount = objects
        self.popular = objects / 2
        self.count = requests
        self.seed = seed
    }

    public func size(of key: Int) -> Int { ValueSize.any(key) }

    public func requests() -> AnyIterator<TraceRequest> {
        var dice = Dice(seed: seed)
        let draw = ZipfDraw(count: popular, exponent: 0.9)
        let length = max(1, popular / 20)
        var made = 0
        var scanned = 0
        var isScanning = 0
        return AnyIterator {
            guard made < count else { return nil }
            defer { made += 1 }
            // A scan of 5 % of the popular entries' number begins so often that it makes about a fifth of all requests;
            // it takes every second request while it runs.
            if isScanning == 0, dice.happens(1 / (Double(length) * 3)) { isScanning = length }
            let key: Int
            if isScanning > 0, made & 1 == 0 {
                isScanning -= 1
                key = popular + scanned % (objectCount - popular)
                scanned += 1
            } else {
                key = draw.rank(&dice)
            }
            return TraceRequest(time: Int64(made), kind: .read, key: UInt32(key), size: UInt32(size(of: key)))
        }
    }
}
