/// A disk tier without the values: a log of segments; the oldest is dropped as a whole when the budget is reached.
struct SegmentedDisk {
    private let segmentBytes: Int
    private let segmentLimit: Int
    /// Sequence number of the segment that holds each key's latest record; 0: none.
    private var segmentOf: [UInt32]
    private var open: UInt32 = 1
    private var oldest: UInt32 = 1
    private var openBytes = 0
    private(set) var bytesWritten = 0

    /// - Parameter budget: bytes; at least two segments.
    init(budget: Int, objectCount: Int) {
        segmentBytes = max(1, min(8 << 20, budget / 8))
        segmentLimit = max(2, budget / segmentBytes)
        segmentOf = [UInt32](repeating: 0, count: objectCount)
    }

    func contains(_ key: Int) -> Bool { segmentOf[key] >= oldest && segmentOf[key] != 0 }

    mutating func append(_ key: Int, size: Int) {
        guard size <= segmentBytes else { return }
        if openBytes + size > segmentBytes {
            open += 1
            openBytes = 0
            if Int(open - oldest) >= segmentLimit { oldest += 1 }
        }
        segmentOf[key] = open
        openBytes += size
        bytesWritten += size
    }

    mutating func forget(_ key: Int) { segmentOf[key] = 0 }
}
