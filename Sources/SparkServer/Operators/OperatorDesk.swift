import Foundation
import Logging
import Metrics
package import SparkCore
package import SparkKit
import SparkStorage
import Synchronization

/// The outcome of an operator action.
package struct OperatorOutcome: Sendable {
    /// The action's result, as JSON.
    package let result: JSONValue
    /// The action's line in the audit log.
    package let line: AuditLine
    /// Produces the rest of a long answer; nil when `result` is all.
    package let nextPiece: OperatorAnswer.NextPiece?
}

/// Runs operator actions. The audit line of every successful action is written before the action is answered.
final class OperatorDesk: Sendable {
    let actions: [String: OperatorAction]
    private let storage: SQLiteStorage
    private let head: AuditHead
    private let logger: Logger
    private let url: Mutex<String>

    /// - Parameter publicURL: the server's public URL, until `listens` sets the actual one.
    init(actions: [OperatorAction], storage: SQLiteStorage, head: AuditHead, publicURL: String, logger: Logger) {
        self.actions = Dictionary(actions.map { ($0.name, $0) }) { first, _ in first }
        self.storage = storage
        self.head = head
        self.url = Mutex(publicURL)
        self.logger = logger
    }

    /// Records the newest audit line of a database that was copied into a directory without `audit.head`.
    func adoptLog() async throws {
        guard !head.isThere, let line = try await storage.read({ try AuditLog.lines(limit: 1, in: $0) }).first else { return }
        await head.note(line)
        logger.notice(
            "the audit log came with a copy of the database: its newest line is noted",
            metadata: ["line": .stringConvertible(line.seq)])
    }

    /// Makes what is noted of the audit log part of snapshots.
    var fixtureState: FixtureState { head.fixtureState }

    /// Sets the server's address, which is the public URL if no other is configured.
    func listens(at address: String) { url.withLock { $0 = address } }

    /// - Throws: `OperatorError.unknownAction`, `InvalidInput`, and what the action refuses.
    func perform(_ name: String, members: JSONValue, actor: String) async throws -> OperatorOutcome {
        guard let action = actions[name] else { throw OperatorError.unknownAction }
        let call = OperatorCall(action: name, members: members, actor: actor, publicURL: url.withLock { $0 })
        // Create the file before the first line: a missing file beside lines means that it was removed.
        await head.begin()
        let answer = try await action.handler(call)
        if call.line == nil {
            try await storage.write { try call.record(answer.subjects, in: $0) }
        }
        guard let line = call.line else { throw OperatorError.unrecorded }
        await head.note(line)
        // The process's log is a second witness of the audit chain.
        logger.notice(
            "operator action",
            metadata: ["action": "\(name)", "actor": "\(actor)", "line": .stringConvertible(line.seq), "hash": "\(line.digest)"])
        return OperatorOutcome(result: answer.result, line: line, nextPiece: answer.nextPiece)
    }
}

/// The errors of the operator interface itself.
package enum OperatorError: ClientError {
    case unknownAction
    case malformed
    /// The action took effect, but wrote no audit line: a bug in the action.
    case unrecorded
    case failed

    package var code: String {
        switch self {
        case .unknownAction: "operator.unknown_action"
        case .malformed: "operator.malformed"
        case .unrecorded: "operator.unrecorded"
        case .failed: "server.internal"
        }
    }

    package var status: Int {
        switch self {
        case .unknownAction: 404
        case .malformed: 400
        case .unrecorded, .failed: 500
        }
    }

    package var detail: String {
        switch self {
        case .unknownAction: "The server does not know this action; is its module switched off, or is it of another version?"
        case .malformed: "A request is one line of JSON with the members action and members."
        case .unrecorded: "The action left no line in the audit log."
        case .failed: "The server failed; its log says why."
        }
    }
}

/// The newest line of the audit log, also recorded in the file `audit.head` beside the database. An attacker who deletes the last
/// lines of the table must also change this file.
final class AuditHead: Sendable {
    private let file: URL
    private let queue = DispatchQueue(label: "spark.audit.head")
    private let noted = Mutex<Int64>(0)

    init(directory: URL) { self.file = directory.appending(path: "audit.head") }

    var isThere: Bool { FileManager.default.fileExists(atPath: file.path) }

    /// Creates the file where it is missing, with the record that there is no line yet.
    func begin() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async { [self] in
                if !isThere { write("0 \(String(repeating: "0", count: 64))\n") }
                continuation.resume()
            }
        }
    }

    /// Records a line. Returns when the record is on the disk. Best effort: without it the table's own counter still has the
    /// number of lines.
    func note(_ line: AuditLine) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async { [self] in
                // Two actions may finish in another order than they were committed in.
                let isNews = noted.withLock { noted in
                    defer { noted = max(noted, line.seq) }
                    return line.seq > noted
                }
                if isNews { write("\(line.seq) \(line.digest)\n") }
                continuation.resume()
            }
        }
    }

    /// Makes the noted line part of snapshots.
    var fixtureState: FixtureState {
        FixtureState(module: "operators") { [self] in
            queue.sync { (line: noted.withLock { $0 }, text: FileManager.default.contents(atPath: file.path)) }
        } restore: { [self] saved in
            queue.sync {
                noted.withLock { $0 = saved.line }
                if let text = saved.text { return write(String(decoding: text, as: UTF8.self)) }
                // A missing file needs no removal.
                try? FileManager.default.removeItem(at: file)
            }
        }
    }

    private func write(_ text: String) {
        let next = file.appendingPathExtension("next")
        let descriptor = open(next.path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let bytes = Array(text.utf8)
        let isWritten = Foundation.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(next.path, file.path) == 0 else { return }
        let folder = open(file.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// The record in the file; nil when the file is missing or unreadable.
    static func read(in directory: URL) -> (seq: Int64, digest: String)? {
        guard DirectoryEntries.fault(of: "audit.head", in: directory) == nil,
            let data = FileManager.default.contents(atPath: directory.appending(path: "audit.head").path), data.count < 256
        else { return nil }
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let seq = Int64(words[0]) else { return nil }
        return (seq, String(words[1]))
    }
}
