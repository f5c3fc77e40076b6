import Foundation
import SparkClient
import SparkCore
import Synchronization

/// The built `spark` binary as a process of its own.
final class SparkProcess: Sendable {
    let url: String
    let directory: String
    private let process: Mutex<Process>
    let errorLog: URL
    /// The text of the ready line.
    let readyLine: JSONValue

    /// The binary that was built beside the tests.
    static var binary: URL {
        let bundle = URL(
            filePath: ProcessInfo.processInfo.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(path: "spark")
    }

    /// Starts `spark serve` on a port that the system picks and waits for its ready line.
    static func serve(_ arguments: [String]) async throws -> SparkProcess {
        try await Task.detached { try SparkProcess(arguments) }.value
    }

    private init(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = Self.binary
        process.arguments = ["serve", "--listen", "127.0.0.1:0"] + arguments
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        process.environment = Self.cleanEnvironment
        let output = Pipe()
        process.standardOutput = output
        self.errorLog = FileManager.default.temporaryDirectory.appending(path: "spark-log-\(UUID().uuidString)")
        try Data().write(to: errorLog)
        process.standardError = try FileHandle(forWritingTo: errorLog)
        try process.run()
        var line = Data()
        while !line.contains(0x0A) {
            let chunk = output.fileHandleForReading.availableData
            guard !chunk.isEmpty else {
                process.waitUntilExit()
                let log = (try? String(contentsOf: errorLog, encoding: .utf8)) ?? ""
                throw DidNotStart(status: process.terminationStatus, log: log)
            }
            line += chunk
        }
        self.readyLine = try JSONParser.parse(line.prefix { $0 != 0x0A })
        self.url = readyLine["url"]?.string ?? ""
        self.directory = readyLine["data"]?.string ?? ""
        self.process = Mutex(process)
    }

    /// The environment without settings of Spark's, so that a test means the same everywhere.
    private static var cleanEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") }
    }

    var client: SparkClient { SparkClient(url: url) }
    var pid: Int32 { process.withLock { $0.processIdentifier } }
    var log: String { (try? String(contentsOf: errorLog, encoding: .utf8)) ?? "" }

    /// Sends a signal and gives the exit status: the code, or minus the signal that ended it.
    func end(_ signal: Int32) async -> Int32 {
        kill(pid, signal)
        return await wait()
    }

    func wait() async -> Int32 {
        await Task.detached { [self] in
            process.withLock { process in
                process.waitUntilExit()
                return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            }
        }.value
    }

    /// Runs a verb to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Finished {
        try await Task.detached {
            let process = Process()
            process.executableURL = binary
            process.arguments = arguments
            process.currentDirectoryURL = FileManager.default.temporaryDirectory
            process.environment = cleanEnvironment.merging(environment) { $1 }
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let outputText = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Finished(status: process.terminationStatus, output: outputText, errors: errorText)
        }.value
    }

    struct Finished: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }
}

struct DidNotStart: Error {
    let status: Int32
    let log: String
}

/// How large the heavy tests are: small in `make test`, whole in `make soak`.
enum Scale {
    static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    static func of(test: Int, soak: Int) -> Int { isSoak ? soak : test }
}

/// A data directory for one test.
func withDataDirectory(_ body: (String) async throws -> Void) async throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "spark-data-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try await body(url.path)
}
