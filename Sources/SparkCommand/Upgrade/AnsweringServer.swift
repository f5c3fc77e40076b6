import Foundation
import Glibc
import Spark
import SparkClient
import SparkFiles
import SparkServer

/// A server of some version of spark on a copy of a data directory, in a process of its own.
final class AnsweringServer: Sendable {
    /// The server cannot be asked.
    struct CannotAnswer: Error, CustomStringConvertible {
        let description: String
    }

    /// How long a server may take until it answers: it may have to recover the copy.
    private static let longestStart = Duration.minutes(15)
    /// How long a program may take to issue tokens.
    private static let longestIssue = Duration.minutes(2)

    private let program: String
    private let arguments: [String]
    private let errors: URL
    private let run: ProgramRun
    private let client: SparkClient

    private init(_ program: String, _ arguments: [String], _ errors: URL, _ run: ProgramRun, url: String) {
        (self.program, self.arguments, self.errors, self.run) = (program, arguments, errors, run)
        self.client = SparkClient(url: url, timeout: .seconds(60))
    }

    /// Starts `PROGRAM serve` and waits until it answers.
    /// - Parameters:
    ///   - settings: further arguments, of every verb.
    ///   - errors: the file for its log.
    /// - Throws: `CannotAnswer`, `CancellationError`.
    static func start(
        _ program: String, on directory: URL, settings: [String], errors: URL
    ) async throws -> AnsweringServer {
        let arguments = ["--data", directory.path] + settings
        let run = try Self.run(program, ["serve", "--listen", "127.0.0.1:0", "--exit-with-parent"] + arguments, errors)
        let line = try await withTaskCancellationHandler {
            try await OwnThread.run { run.line(until: .now + Self.longestStart) }
        } onCancel: {
            run.terminate()
        }
        guard !Task.isCancelled, let line, let url = (try? JSONParser.parse(Array(line.utf8)))?["url"]?.string else {
            try await OwnThread.run { run.stop() }
            try Task.checkCancellation()
            throw CannotAnswer(description: "\(program) does not start on the copy: \(Self.lastLine(of: errors))")
        }
        return AnsweringServer(program, arguments, errors, run, url: url)
    }

    private static func run(_ program: String, _ arguments: [String], _ errors: URL) throws -> ProgramRun {
        do {
            return try ProgramRun(program, arguments, errors: errors)
        } catch {
            throw CannotAnswer(description: "\(program) cannot be started: \(error.fault)")
        }
    }

    private static func lastLine(of file: URL) -> String {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.map { String($0.prefix(1_000)) } ?? "it says nothing"
    }

    /// Access tokens, issued by the program itself. People without one are missing: closed accounts.
    /// - Throws: `CannotAnswer` if it issues none at all.
    func tokens(for people: [UserID]) async throws -> [UserID: String] {
        if let all = try await issue(people) { return all }
        var tokens: [UserID: String] = [:]
        for person in people { tokens.merge(try await issue([person]) ?? [:]) { $1 } }
        guard !tokens.isEmpty else {
            throw CannotAnswer(description: "\(program) issues no tokens: \(Self.lastLine(of: errors))")
        }
        return tokens
    }

    private func issue(_ people: [UserID]) async throws -> [UserID: String]? {
        try Task.checkCancellation()
        let run = try Self.run(program, ["token", "--json"] + arguments + people.map(\.wire), errors)
        let deadline = ContinuousClock.now + Self.longestIssue
        let (lines, status) = try await withTaskCancellationHandler {
            try await OwnThread.run {
                var lines: [String] = []
                while lines.count <= people.count, let line = run.line(until: deadline) { lines.append(line) }
                // One that says more than it was asked for may never end.
                if lines.count > people.count { run.terminate() }
                return (lines, run.wait(until: deadline))
            }
        } onCancel: {
            run.terminate()
        }
        try Task.checkCancellation()
        guard ContinuousClock.now < deadline else {
            throw CannotAnswer(description: "\(program) issues no tokens within \(Self.longestIssue.components.seconds) s")
        }
        guard status == 0, lines.count == people.count else { return nil }
        let tokens = lines.compactMap { (try? JSONParser.parse(Array($0.utf8)))?["access_token"]?.string }
        guard tokens.count == people.count else { return nil }
        return Dictionary(zip(people, tokens)) { $1 }
    }

    /// Asks for a path as a person. A server that does not answer has the status 0.
    func get(_ path: String, token: String) async throws -> (status: Int, body: JSONValue, duration: Duration) {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        do {
            let answer = try await client.authenticated(with: token).send("GET", path, body: nil)
            return (answer.status, answer.json, start.duration(to: .now))
        } catch {
            try Task.checkCancellation()
            return (0, .null, start.duration(to: .now))
        }
    }

    /// Ends the server.
    func stop() async { try? await OwnThread.run { [run] in run.stop() } }
}
