public import SparkCore

/// The hit ratios of the policies on one trace: reads only, nothing expires, memory counted in bytes of values.
public struct HitRatioTable: Sendable {
    public struct Cell: Sendable {
        public let policy: String
        /// Bytes.
        public let capacity: Int
        public let hits: Int
        public let reads: Int
        public var hitRatio: Double { reads == 0 ? 0 : Double(hits) / Double(reads) }
    }

    public let trace: String
    public let cells: [Cell]

    /// Knows the future; see `BeladyOptimum` and `SizedBelady`.
    public static let optimum = "Belady"
    public static let sizedOptimum = "Belady, by size"

    /// - Parameters:
    ///   - capacities: bytes.
    ///   - policies: names of `PolicyCatalogue`, `optimum` and `sizedOptimum`.
    public init(
        _ trace: some CacheTrace, capacities: [Int], policies: [String] = PolicyCatalogue.names + [optimum, sizedOptimum]
    ) {
        let keys = trace.readKeys()
        let sizes = (0..<trace.objectCount).map { UInt32(trace.size(of: $0)) }
        let nextUses = NextUse.indices(keys, objectCount: trace.objectCount)
        var cells: [Cell] = []
        for capacity in capacities {
            for name in policies {
                let hits: Int
                if name == Self.optimum {
                    hits = BeladyOptimum.hits(
                        keys, nextUses: nextUses, objectCount: trace.objectCount, capacity: capacity, size: { Int(sizes[$0]) })
                } else if name == Self.sizedOptimum {
                    hits = SizedBelady.hits(
                        keys, nextUses: nextUses, objectCount: trace.objectCount, capacity: capacity, sizes: sizes)
                } else if let policy = PolicyCatalogue.policy(name, capacity: capacity, objectCount: trace.objectCount) {
                    hits = Self.hits(keys, sizes, policy)
                } else {
                    continue
                }
                cells.append(Cell(policy: name, capacity: capacity, hits: hits, reads: keys.count))
            }
        }
        self.trace = trace.name
        self.cells = cells
    }

    private static func hits(_ keys: [UInt32], _ sizes: [UInt32], _ policy: some SimulatedPolicy) -> Int {
        var hits = 0
        for rawKey in keys {
            let key = Int(rawKey)
            if policy.touch(key) { hits += 1 } else { policy.insert(key, size: Int(sizes[key])) { _ in } }
        }
        return hits
    }
}

extension HitRatioTable: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("trace", trace)
            writer.key("hit_ratios")
            writer.array(cells)
        }
    }

    /// For a terminal: one policy per line, its hit ratios in the order of the capacities.
    public var lines: [String] {
        var names: [String] = []
        for cell in cells where !names.contains(cell.policy) { names.append(cell.policy) }
        return names.map { name in
            let row = cells.filter { $0.policy == name }
            return "\(trace) \(name): "
                + row.map { "\($0.capacity >> 10) KiB \(($0.hitRatio * 100).rounded(to: 2)) %" }.joined(separator: ", ")
        }
    }
}

extension HitRatioTable.Cell: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("policy", policy)
            writer.field("capacity", capacity)
            writer.field("hit_ratio", hitRatio.rounded(to: 5))
        }
    }
}
