import ArgumentParser
import Spark
import SparkBench

struct BenchRatios: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ratios", abstract: "Measure the cache beside a dictionary, and a search beside a scan.",
        discussion: "Takes some seconds. `make bench` compares the ratios with its thresholds.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    @Flag(name: .long, help: "Only a few steps, to see that it works.")
    var small = false

    func run() async throws {
        let report = RatioReport.measure(isSmall: small)
        if json { Output.say(json: report) } else { for line in report.lines { Output.say(line) } }
        guard report.isValid else { throw ExitCode.failure }
    }
}
