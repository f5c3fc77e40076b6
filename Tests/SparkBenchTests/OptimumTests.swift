import SparkBench
import SparkCore
import Testing

/// A trace that a test defines.
struct SpelledTrace: CacheTrace {
    let name = "spelled"
    let keys: [Int]
    let sizes: [Int]
    var objectCount: Int { sizes.count }
    func size(of key: Int) -> Int { sizes[key] }
    func requests() -> AnyIterator<TraceRequest> {
        AnyIterator(
            keys.enumerated().map {
                TraceRequest(time: Int64($0), kind: .read, key: UInt32($1), size: UInt32(sizes[$1]))
            }.makeIterator())
    }
}

@Suite("The optimum")
struct OptimumTests {
    /// The most hits that any sequence of decisions reaches, by trying all of them.
    private func best(_ keys: ArraySlice<Int>, _ resident: Set<Int>, room: Int) -> Int {
        guard let key = keys.first else { return 0 }
        let rest = keys.dropFirst()
        if resident.contains(key) { return 1 + best(rest, resident, room: room) }
        var most = best(rest, resident, room: room)
        if resident.count < room { return max(most, best(rest, resident.union([key]), room: room)) }
        for victim in resident { most = max(most, best(rest, resident.subtracting([victim]).union([key]), room: room)) }
        return most
    }

    private func cell(_ table: HitRatioTable, _ policy: String) throws -> HitRatioTable.Cell {
        try #require(table.cells.first { $0.policy == policy })
    }

    @Test("with keys of one size nothing beats it, tried on all decisions", arguments: 1...20 as ClosedRange<UInt64>)
    func exhaustive(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let keys = (0..<14).map { _ in Int.random(in: 0..<5, using: &random) }
        let trace = SpelledTrace(keys: keys, sizes: Array(repeating: 1, count: 5))
        let table = HitRatioTable(trace, capacities: [2])
        #expect(try cell(table, HitRatioTable.optimum).hits == best(keys[...], [], room: 2), "seed \(seed)")
        #expect(try cell(table, HitRatioTable.sizedOptimum).hits == best(keys[...], [], room: 2), "seed \(seed)")
    }

    @Test("no policy beats the optimum on keys of one size", arguments: 1...5 as ClosedRange<UInt64>)
    func bound(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let keys = (0..<20_000).map { _ in
            min(Int.random(in: 0..<1_000, using: &random), Int.random(in: 0..<1_000, using: &random))
        }
        let table = HitRatioTable(
            SpelledTrace(keys: keys, sizes: Array(repeating: 3, count: 1_000)), capacities: [60, 300, 1_500])
        for capacity in [60, 300, 1_500] {
            let cells = table.cells.filter { $0.capacity == capacity }
            let optimum = try #require(cells.first { $0.policy == HitRatioTable.optimum })
            for cell in cells { #expect(cell.hits <= optimum.hits, "\(cell.policy), \(capacity)") }
        }
    }

    @Test("with keys of many sizes the rule by size beats every policy on every trace", arguments: TraceCatalogue.names)
    func sizedBound(name: String) throws {
        let trace = try #require(tinyTrace(name))
        let table = HitRatioTable(trace, capacities: [trace.footprint / 20])
        let optimum = try cell(table, HitRatioTable.sizedOptimum)
        for policy in PolicyCatalogue.names + [HitRatioTable.optimum] {
            #expect(try cell(table, policy).hits <= optimum.hits, "\(policy)")
            #expect(try cell(table, policy).hits > 0)
        }
    }
}
