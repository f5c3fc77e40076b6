import ArgumentParser
import Foundation
import Spark
import SparkBench
import SparkServer

struct BenchMatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Measure decks: how long they take among many people, and how much memory the index uses.",
        discussion: """
            Invents people, fills the hot index, and asks for the decks of viewers who have swiped 0 to 30,000 people. Some \
            answers are compared with those of a full scan.
            """)

    @Option(name: .long, help: "How many people, 1,000 to 20,000,000; several numbers, separated by commas, show the growth.")
    var people = "1000000"

    @Option(name: .long, help: "How many viewers ask.")
    var probes = 2_000

    @Option(name: .long, help: "How many answers of each kind are compared with those of a full scan.")
    var compare = 20

    @Flag(name: .long, help: "Measure a whole server on disk, without a socket, instead of the index alone.")
    var service = false

    @Option(name: .long, help: "Before measuring, write the people, the probes and the answers into this directory.")
    var export: String?

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    private var counts: [Int] { people.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard !counts.isEmpty, counts.count == people.split(separator: ",").count,
            counts.allSatisfy({ (1_000...20_000_000).contains($0) })
        else { throw ValidationError("--people must be 1000 to 20000000, or several such numbers, separated by commas") }
        guard export == nil || counts.count == 1 else { throw ValidationError("--export needs one number of people") }
        guard export == nil || !service else { throw ValidationError("--export and --service exclude each other") }
        guard (8...100_000).contains(probes) else { throw ValidationError("--probes must be 8 to 100000") }
        guard (0...probes).contains(compare) else { throw ValidationError("--compare must be 0 to the number of probes") }
    }

    private func write(_ settings: MatchBenchmark.Settings, to path: String) throws {
        do {
            try CrowdExport(settings).write(to: URL(fileURLWithPath: path, isDirectory: true))
        } catch {
            throw NotWritable(path: path)
        }
    }

    func run() async throws {
        for count in counts {
            if service {
                try await measureService(count)
                continue
            }
            var settings = MatchBenchmark.Settings()
            settings.people = count
            settings.probes = probes
            settings.compared = compare
            if let export { try write(settings, to: export) }
            let bar = ProgressBar(total: 1_000)
            let report = MatchBenchmark(settings).run { bar.show($0, Int($1 * 1_000)) }
            if json { Output.say(json: report) } else { for line in report.lines { Output.say(line) } }
            guard report.differing == 0 else { throw ExitCode.failure }
        }
    }

    private func measureService(_ count: Int) async throws {
        let bar = ProgressBar(total: count)
        let report = try await MatchServiceBench(people: count, actors: min(probes, count), seconds: 5).run { bar.show($0, $1) }
        if json { Output.say(json: report) } else { for line in report.lines { Output.say(line) } }
    }
}

/// `--export` names a folder that cannot be written.
private struct NotWritable: Error, CustomStringConvertible {
    let path: String
    var description: String { "cannot write into \(path)" }
}
