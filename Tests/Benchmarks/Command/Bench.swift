import ArgumentParser
import Foundation
import Spark

/// `spark-bench`: one verb per file.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spark-bench", abstract: "Measure parts of Spark on this machine.",
        subcommands: [BenchCache.self, BenchChat.self, BenchMatch.self, BenchMetrics.self, BenchRatios.self, BenchStart.self])
}

/// Standard output.
enum Output {
    /// Writes one line, unbuffered.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    static func say(json value: some JSONWritable) { say(JSONWriter.string(of: value)) }
}
