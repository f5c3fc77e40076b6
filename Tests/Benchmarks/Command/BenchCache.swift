import ArgumentParser
import Foundation
import Spark
import SparkBench
import SparkServer

struct BenchCache: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Measure the cache: speed in memory and from disk, hit ratios.",
        discussion: """
            Without --trace: gets and puts of two threads, the disk tier with data ten times memory, and a day of a dating \
            backend through the real cache with 64 MB of memory and 1 GB of disk, which takes some minutes.
            With --trace: the hit ratios of eviction policies on one trace, by simulation.
            """)

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    @Option(name: .long, help: "A trace: \(TraceCatalogue.names.joined(separator: ", ")).")
    var trace: String?

    @Option(name: .long, help: "full, or small for a tenth of the time and of the memory.")
    var size = "full"

    @Option(name: .long, help: "Seed of the trace.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "Capacities for --trace in bytes, separated by commas; by default 1 % and 5 % of the footprint.")
    var capacities: String?

    @Option(name: .long, help: "With --trace: write its reads to this file in libCacheSim's oracleGeneral form, nothing else.")
    var writeTrace: String?

    @Option(name: .long, help: "A peer to measure beside: redis=SOCKET, memcached=SOCKET or extstore=SOCKET. May be repeated.")
    var peers: [String] = []

    private var chosenSize: TraceCatalogue.Size? { TraceCatalogue.Size(rawValue: size) }

    func validate() throws {
        guard chosenSize != nil else { throw ValidationError("--size must be small or full") }
        if let trace, !TraceCatalogue.names.contains(trace) {
            throw ValidationError("--trace must be one of \(TraceCatalogue.names.joined(separator: ", "))")
        }
        if writeTrace != nil, trace == nil { throw ValidationError("--write-trace needs --trace") }
        for peer in peers where Peer(argument: peer) == nil {
            throw ValidationError("--peers must be redis=SOCKET, memcached=SOCKET or extstore=SOCKET")
        }
        if let capacities, capacities.split(separator: ",").contains(where: { (Int($0) ?? 0) <= 0 }) {
            throw ValidationError("--capacities must be numbers of bytes")
        }
    }

    func run() async throws {
        if let trace {
            try simulate(trace)
        } else {
            try await measure()
        }
    }

    private func simulate(_ name: String) throws {
        guard let trace = TraceCatalogue.trace(name, size: chosenSize ?? .full, seed: seed) else { return }
        if let writeTrace {
            let count = try TraceFile.write(trace, to: URL(fileURLWithPath: writeTrace))
            Output.say(json: ["requests": .integer(Int64(count)), "footprint": .integer(Int64(trace.footprint))] as JSONValue)
            return
        }
        let chosen = capacities?.split(separator: ",").compactMap { Int($0) } ?? [trace.footprint / 100, trace.footprint / 20]
        let table = HitRatioTable(trace, capacities: chosen)
        if json { Output.say(json: table) } else { for line in table.lines { Output.say(line) } }
        guard let dating = trace as? DatingTrace, !json else { return }
        for line in FreshnessTable(dating, size: chosenSize ?? .full).lines { Output.say(line) }
    }

    private func measure() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spark-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var settings = CacheBenchmark.Settings(directory: directory)
        settings.size = chosenSize ?? .full
        settings.peers = peers.compactMap(Peer.init(argument:))
        let bar = ProgressBar(total: 1_000)
        let report = try await CacheBenchmark(settings).run { bar.show($0, Int($1 * 1_000)) }
        if json { Output.say(json: report) } else { for line in report.lines { Output.say(line) } }
    }
}
