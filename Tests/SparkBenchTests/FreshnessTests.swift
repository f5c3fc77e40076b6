import SparkBench
import Testing

@Suite("Freshness on the dating trace")
struct FreshnessTests {
    private let trace = DatingTrace(people: 600, hours: 10, seed: 2)

    private func hitRatio(_ regime: FreshnessRegime, memory: Int?, disk: Int = 0) -> Double {
        DatingSimulation.run(trace, regime: regime, memory: memory, disk: disk).hitRatio
    }

    @Test("each step brings hits: write-through, stamps, stale-while-revalidate, hints")
    func steps() {
        let ratios = FreshnessRegime.all.map { hitRatio($0, memory: nil) }
        #expect(ratios == ratios.sorted())
        #expect(ratios[2] > ratios[1] + 0.2)
    }

    @Test("a disk tier brings hits, and never more than unlimited memory")
    func disk() {
        let footprint = trace.footprint
        let without = hitRatio(.stampsHints, memory: footprint / 40)
        let with = hitRatio(.stampsHints, memory: footprint / 40, disk: footprint / 3)
        #expect(with > without + 0.1)
        #expect(with <= hitRatio(.stampsHints, memory: nil))
    }

    @Test("every read is a hit or a miss, and without hints or staleness every load is a miss")
    func accounts() {
        let outcome = DatingSimulation.run(trace, regime: .stamps, memory: trace.footprint / 40, disk: trace.footprint / 3)
        #expect(outcome.reads == outcome.memoryHits + outcome.diskHits + outcome.misses)
        #expect(outcome.backgroundLoads == 0)
        #expect(outcome.diskBytesWritten > 0)
    }
}
