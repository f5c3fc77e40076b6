import SparkCore

/// The dating trace under each regime: without bound, and with memory and disk of a size.
public struct FreshnessTable: Sendable {
    public let lines: [String]

    /// - Parameter size: of the trace; decides how much memory and disk represent 64 MB and 1 GB.
    public init(_ trace: DatingTrace, size: TraceCatalogue.Size) {
        let memory = (64 << 20) / size.datingScale
        let disk = (1 << 30) / size.datingScale
        func percent(_ outcome: DatingSimulation.Outcome) -> String { "\((outcome.hitRatio * 100).rounded(to: 1)) %" }
        lines = FreshnessRegime.all.map { regime in
            let unbounded = DatingSimulation.run(trace, regime: regime, memory: nil)
            let alone = DatingSimulation.run(trace, regime: regime, memory: memory)
            let both = DatingSimulation.run(trace, regime: regime, memory: memory, disk: disk)
            return "dating, \(regime.name): no bound \(percent(unbounded)), \(memory >> 10) KiB \(percent(alone)), "
                + "and \(disk >> 20) MiB of disk \(percent(both)), \(both.loadRatio.rounded(to: 3)) loads a read"
        }
    }
}
