/// The traces by name, at two sizes.
public enum TraceCatalogue {
    public enum Size: String, CaseIterable, Sendable {
        /// Seconds; for tests and a first look.
        case small
        /// Some millions of requests.
        case full

        /// The dating trace at full size goes with 64 MB of memory and 1 GB of disk; of a smaller one, people, memory and disk
        /// are divided by this.
        var datingScale: Int { self == .full ? 1 : 10 }
    }

    public static let names = ["zipf-0.9", "zipf-1.0", "scan", "bursts", "loop", "dating"]

    /// Nil for a name that is not in `names`.
    public static func trace(_ name: String, size: Size, seed: UInt64 = 1) -> (any CacheTrace)? {
        let objects = size == .full ? 500_000 : 10_000
        let requests = size == .full ? 5_000_000 : 100_000
        switch name {
        case "zipf-0.9": return ZipfTrace(exponent: 0.9, objects: objects, requests: requests, seed: seed)
        case "zipf-1.0": return ZipfTrace(exponent: 1.0, objects: objects, requests: requests, seed: seed)
        case "scan": return ScanTrace(objects: objects, requests: requests, seed: seed)
        case "bursts": return BurstTrace(objects: objects, requests: requests, seed: seed)
        case "loop": return LoopTrace(objects: objects, requests: requests, seed: seed)
        case "dating": return DatingTrace(size: size, seed: seed)
        default: return nil
        }
    }
}
