import Foundation
import Glibc
import SparkTestSupport
import Testing

@Suite("A log in a file")
struct LogFileTests {
    @Test("begins anew after the file was cut off, as logrotate's copytruncate does", .timeLimit(.minutes(20)))
    func truncation() async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let file = "\(folder)/spark.log"
            let appending = ["/bin/sh", "-c", #"exec "$0" "$@" 2>> '\#(file)'"#]
            try await withSpark(["--data", "\(folder)/data"], under: appending) { _ in
                for number in 1...3 {
                    // Each look at people is a line.
                    _ = try await SparkProcess.run(["user", "find", "nobody", "--data", "\(folder)/data"])
                    try await until("the line is there", every: .milliseconds(5)) {
                        try lines(file).last?.contains("line=\(number)") == true
                    }
                    let line = try #require(lines(file).last)
                    #expect(line.hasPrefix("20") && line.contains(" notice spark: operator action "), "\(line)")
                    if number > 1 { #expect(try lines(file).count == 1) }
                    #expect(truncate(file, 0) == 0)
                }
            }
        }
    }

    @Test("begins with the start of a server and ends with its stop")
    func startAndStop() async throws {
        try await withDataDirectory { directory in
            let spark = try await SparkProcess.serve(["--data", directory])
            #expect(await spark.end(SIGINT) == 0)
            let lines = spark.log.split(separator: "\n")
            #expect(lines.first?.contains(" notice spark: started ") == true, "\(spark.log)")
            #expect(lines.first?.contains("url=\(spark.url) ") == true && lines.first?.contains("data=\(directory) ") == true)
            #expect(lines.last?.contains(" notice spark: stopped seconds=") == true, "\(spark.log)")
            #expect(lines.last?.hasSuffix("signal=SIGINT") == true && spark.complaints == [])
        }
    }

    private func lines(_ file: String) throws -> [Substring] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    }
}
