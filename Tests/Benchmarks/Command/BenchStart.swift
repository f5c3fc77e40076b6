import ArgumentParser
import Foundation
import Spark

struct BenchStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Measure how soon a server in this process answers.",
        discussion: "Each server is started on its own, and has ended before the next one begins. `make bench-fixture` uses it.")

    @Option(name: .long, help: "How many servers.")
    var rounds = 20

    @Flag(name: .long, help: "Print JSON: the milliseconds of each start and stop.")
    var json = false

    func run() async throws {
        var (starts, stops): ([Double], [Double]) = ([], [])
        for _ in 0..<max(1, rounds) {
            let clock = ContinuousClock()
            let begin = clock.now
            let server = try await Spark.start()
            let ready = clock.now
            try await server.stop()
            starts.append(Self.milliseconds(begin.duration(to: ready)))
            stops.append(Self.milliseconds(ready.duration(to: clock.now)))
        }
        if json {
            Output.say(
                json: ["starts": .array(starts.map { .number($0) }), "stops": .array(stops.map { .number($0) })] as JSONValue)
        } else {
            for (start, stop) in zip(starts, stops) {
                Output.say("ready in \(String(format: "%.1f", start)) ms, ended in \(String(format: "%.1f", stop)) ms")
            }
        }
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1_000 + Double(duration.components.attoseconds) / 1e15
    }
}
