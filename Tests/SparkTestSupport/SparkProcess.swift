package import Foundation
package import SparkClient
package import SparkCore

/// The built `spark` binary as a separate process.
package final class SparkProcess: Sendable {
    package let url: String
    package let directory: String
    private let process: ChildProcess
    package let errorLog: URL
    /// The text of the ready line.
    package let readyLine: JSONValue

    /// The binary that was built beside the tests.
    package static var binary: URL { program("spark") }

    private static func program(_ name: String) -> URL {
        let bundle = URL(
            filePath: ProcessInfo.processInfo.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(path: name)
    }

    /// Starts `spark serve` on a port that the system picks and waits for its ready line.
    /// - Parameters:
    ///   - wrapper: a program with its arguments that starts the binary; then `pid` is its own.
    ///   - descriptors: how many files the process may open; as many as this one if nil.
    package static func serve(
        _ arguments: [String], under wrapper: [String] = [], descriptors: Int? = nil
    ) async throws -> SparkProcess {
        let limited = descriptors.map { ["/bin/sh", "-c", #"ulimit -n \#($0) && exec "$0" "$@""#] } ?? []
        return try await onOwnThread { try SparkProcess(["--listen", "127.0.0.1:0"] + arguments, limited + wrapper) }
    }

    /// The same, with nothing added to the arguments.
    package static func serveAsGiven(_ arguments: [String]) async throws -> SparkProcess {
        try await onOwnThread { try SparkProcess(arguments, []) }
    }

    /// Starts `spark serve` as a service manager does that has a listening socket for it, and waits for its ready line.
    /// - Parameter socket: the socket, under its name.
    package static func serve(_ arguments: [String], on socket: Int32, named name: String) async throws -> SparkProcess {
        let environment = ["LISTEN_FDS": "1", "LISTEN_FDNAMES": name]
        // Only the process itself knows its number before it begins.
        let activator = ["/bin/sh", "-c", #"LISTEN_PID=$$ exec "$0" "$@""#]
        return try await onOwnThread { try SparkProcess(arguments, activator, passed: [socket], environment: environment) }
    }

    private init(
        _ arguments: [String], _ wrapper: [String], passed: [Int32] = [], environment: [String: String] = [:]
    ) throws {
        self.errorLog = FileManager.default.temporaryDirectory.appending(path: "spark-log-\(UUID().uuidString)")
        try Data().write(to: errorLog)
        let errors = try FileHandle(forWritingTo: errorLog)
        self.process = try ChildProcess(
            wrapper.first ?? Self.binary.path,
            (wrapper.isEmpty ? [] : wrapper.dropFirst() + [Self.binary.path]) + ["serve"] + arguments,
            environment: Self.cleanEnvironment.merging(environment) { $1 }, errors: errors.fileDescriptor, passed: passed)
        var line = Data()
        while !line.contains(0x0A) {
            let chunk = process.output.availableData
            guard !chunk.isEmpty else {
                let log = (try? String(contentsOf: errorLog, encoding: .utf8)) ?? ""
                throw DidNotStart(status: process.waitUntilExit(), log: log)
            }
            line += chunk
        }
        self.readyLine = try JSONParser.parse(line.prefix { $0 != 0x0A })
        self.url = readyLine["url"]?.string ?? ""
        self.directory = readyLine["data"]?.string ?? ""
    }

    /// The environment without Spark's settings, so that a test is the same everywhere.
    private static var cleanEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") }
    }

    package var client: SparkClient { SparkClient(patient: url) }

    /// Of the operators.
    package var operators: SparkClient {
        SparkClient(patient: readyLine["operator_url"]?.string ?? url, token: readyLine["admin_token"]?.string)
    }
    package var pid: Int32 { process.pid }
    package var log: String { (try? String(contentsOf: errorLog, encoding: .utf8)) ?? "" }

    /// The lines of the log, except the first and the last one of each server, and those of alerts: a slow machine makes alerts fire.
    package var complaints: [Substring] {
        log.split(separator: "\n").filter { line in
            ![": alert ", " notice spark: started ", " notice spark: stopped "].contains { line.contains($0) }
        }
    }

    /// Sends a signal and returns the exit status: the code, or minus the signal that ended it.
    package func end(_ signal: Int32) async -> Int32 {
        process.signal(signal)
        return await wait()
    }

    package func wait() async -> Int32 {
        await process.end()
    }

    /// Runs a verb to its end.
    /// - Parameter program: the binary's name, if it is not `spark`.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], program name: String = "spark"
    ) async throws -> Finished {
        try await onOwnThread {
            let errors = try ChildProcess.pipe()
            let errorOutput = FileHandle(fileDescriptor: errors.reader, closeOnDealloc: true)
            let process: ChildProcess
            do {
                defer { close(errors.writer) }
                process = try ChildProcess(
                    program(name).path, arguments, environment: cleanEnvironment.merging(environment) { $1 },
                    errors: errors.writer)
            }
            let outputText = String(decoding: process.output.readDataToEndOfFile(), as: UTF8.self)
            let errorText = String(decoding: errorOutput.readDataToEndOfFile(), as: UTF8.self)
            return Finished(status: process.waitUntilExit(), output: outputText, errors: errorText)
        }
    }

    package struct Finished: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }
}

package struct DidNotStart: Error {
    package let status: Int32
    package let log: String
}

/// Runs a test against a server in a process of its own, and then asks it to stop. When the test throws, the process is killed.
/// - Parameters:
///   - wrapper: a program with its arguments that starts the binary.
///   - descriptors: how many files the process may open; as many as this one if nil.
/// - Throws: what the test throws, and `DidNotStop` if the process does not exit with 0.
package func withSpark(
    _ arguments: [String], under wrapper: [String] = [], descriptors: Int? = nil,
    isolation: isolated (any Actor)? = #isolation, _ body: (SparkProcess) async throws -> Void
) async throws {
    let spark = try await SparkProcess.serve(arguments, under: wrapper, descriptors: descriptors)
    do {
        try await body(spark)
        let status = await spark.end(SIGTERM)
        guard status == 0 else { throw DidNotStop(status: status, log: spark.log) }
    } catch {
        _ = await spark.end(SIGKILL)
        throw error
    }
}

/// A server that exited with something else than 0.
package struct DidNotStop: Error {
    package let status: Int32
    package let log: String
}

/// The size of the heavy tests: small in `make test`, full in `make soak`.
package enum Scale {
    package static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    package static func of(test: Int, soak: Int) -> Int { isSoak ? soak : test }
}

/// A data directory for one test.
@discardableResult
package func withDataDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let url = FileManager.default.temporaryDirectory.appending(path: "spark-data-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}
