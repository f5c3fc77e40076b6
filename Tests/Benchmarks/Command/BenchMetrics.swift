import ArgumentParser
import Foundation
import Spark
import SparkBench
import SparkServer

struct BenchMetrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Measure what recording a metric costs, and a scrape of thousands of series.")

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() async throws {
        let lines = MetricsBenchmark().run()
        if json {
            var writer = JSONWriter()
            writer.array(lines)
            return Output.say(String(decoding: writer.bytes, as: UTF8.self))
        }
        for line in lines {
            let time = String(format: "%12.1f ns", line.nanoseconds)
            Output.say("\(time)  \(line.threads) thread\(line.threads == 1 ? " " : "s")  \(line.what)")
        }
    }
}
