public import Foundation

/// Everything that `spark-bench cache` measures, in order.
public struct CacheBenchmark: Sendable {
    public struct Settings: Sendable {
        /// The size of the dating trace: full has 2.5 GB of values for 64 MB of memory and 1 GB of disk; small has a tenth of
        /// everything.
        public var size = TraceCatalogue.Size.full
        public var peers: [Peer] = []
        /// The directory for spills while it runs.
        public var directory: URL
        public init(directory: URL) { self.directory = directory }
    }

    let settings: Settings

    public init(_ settings: Settings) { self.settings = settings }

    /// - Parameter progress: called with the current measurement and the share of it that is done.
    public func run(_ progress: (String, Double) -> Void) async throws -> CacheBenchReport {
        progress("memory", 0)
        let memory = MemorySpeed.measure()
        progress("memory", 1)
        progress("disk", 0)
        let spill = try await SpillSpeed.measure(directory: settings.directory.appendingPathComponent("spill"))
        progress("disk", 1)
        progress("dating", 0)
        let trace = DatingTrace(size: settings.size, seed: 1)
        let scale = settings.size.datingScale
        let replay = DatingReplay(
            trace, memory: (64 << 20) / scale, disk: (1 << 30) / scale,
            directory: settings.directory.appendingPathComponent("dating"))
        let dating = try await replay.run { progress("dating", $0) }
        progress("dating", 1)
        progress("TTLs", 0)
        let short = [FreshnessRegime.shortDeleting, .shortWriteThrough].map {
            DatingSimulation.run(trace, regime: $0, memory: nil)
        }
        progress("TTLs", 1)
        var peers: [PeerFigure] = []
        for (index, peer) in settings.peers.enumerated() {
            progress("peers", Double(index) / Double(settings.peers.count))
            peers += try Self.measure(peer)
        }
        if !settings.peers.isEmpty { progress("peers", 1) }
        return CacheBenchReport(
            memory: memory, spill: spill, dating: dating, shortDeleting: short[0].hitRatio, shortWriteThrough: short[1].hitRatio,
            peers: peers)
    }

    private static func measure(_ peer: Peer) throws -> [PeerFigure] {
        let load: PeerLoad
        if peer.isOnDisk {
            // Ten times its 64 MB. Entries that come faster than it can write are lost, so it gets the time that it needs.
            load = PeerLoad(peer, keys: 320_000, valueBytes: 2_048, seconds: 1)
            for rate in [40_000.0, 20_000, 10_000] {
                try load.fill(rate: rate)
                if try load.get(connections: 1, pipeline: 32).hitRatio > 0.95 { break }
            }
        } else {
            load = PeerLoad(peer, keys: 50_000, valueBytes: 1_024, seconds: 1)
            try load.fill()
        }
        var figures: [PeerFigure] = []
        for connections in [1, 2] {
            for pipeline in [1, 32] {
                figures.append(try load.get(connections: connections, pipeline: pipeline))
                if !peer.isOnDisk { figures.append(try load.put(connections: connections, pipeline: pipeline)) }
            }
        }
        return figures
    }
}
