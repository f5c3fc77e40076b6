import ArgumentParser
import Foundation
import Glibc
import Spark
import SparkServer

/// Sends an operator action to the server of the data directory, over its socket while it runs, otherwise directly to the store.
/// Both run the same action and write the same line to the audit log.
struct OperatorLink {
    /// The longest time until a starting server answers or a stopping server releases the directory.
    private static let patience = Duration.seconds(20)
    /// The longest line of an answer, in bytes.
    private static let longestLine = 64 << 20

    let common: CommonOptions

    /// - Parameter piece: receives a long answer in parts; an error stops it.
    /// - Returns: the action's result.
    /// - Throws: `OperatorRefusal` when the action refuses, `OperatorUnavailable` when there is no answer.
    func perform(
        _ action: String, _ members: [JSONMember], piece: @escaping ([UInt8]) throws -> Void = { _ in }
    ) async throws -> JSONValue {
        let configuration = try common.load(further: ["cache.disk_mb=0"])
        let process: ServerConfiguration = configuration.section("server")
        let path = process.dataDirectory
        try DataAccess.check(path)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let socket = try Self.connect(path) {
                defer { socket.close() }
                return try exchange(action, members, over: socket, piece)
            }
            // A server may start or stop between the two attempts. Then both fail and are repeated.
            let directory = try DataDirectory(path: path, mayShare: true)
            if directory.isOwner {
                return try await alone(action, members, configuration, directory, piece)
            }
            guard .now < deadline else {
                throw OperatorUnavailable(
                    hint:
                        "another process uses the data directory \(path), but does not answer operators: it is not a server, or it hangs"
                )
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Opens a server's directory. Waits while another operator verb holds it; a running server is recognized by its socket.
    /// - Parameter isSuccessor: whether this process takes over from a server that is ending, and waits for it, too.
    static func directory(_ path: String, isSuccessor: Bool = false) async throws -> DataDirectory {
        let deadline = ContinuousClock.now + .seconds(isSuccessor ? 60 : 10)
        while true {
            do {
                return try DataDirectory(path: path)
            } catch let error as StorageOpenError where error.operation == "lock data directory" {
                guard .now < deadline, !StopSignals.shared.isRequested else { throw error }
                if !isSuccessor, let socket = try? connect(path) {
                    socket.close()
                    throw error
                }
                try await Task.sleep(for: .milliseconds(isSuccessor ? 10 : 50))
            }
        }
    }

    /// Nil when no server listens.
    private static func connect(_ path: String) throws -> UnixSocket? {
        do {
            let folder = URL(filePath: path, directoryHint: .isDirectory).absoluteURL
            return try UnixSocket.connect(toServerOf: folder)
        } catch let error as UnixSocket.Failure {
            switch error.code {
            case ENOENT, ECONNREFUSED, ENOTDIR: return nil
            case EACCES, EPERM:
                Terminal.fail("\(path): only the user who runs the server, and root, may operate it")
                throw ExitCodes.noPermission
            default:
                throw OperatorUnavailable(hint: "\(path): the operator socket: \(String(cString: strerror(error.code)))")
            }
        }
    }

    private func exchange(
        _ action: String, _ members: [JSONMember], over socket: UnixSocket, _ piece: ([UInt8]) throws -> Void
    ) throws -> JSONValue {
        // Erasing a person with years of messages takes a while.
        socket.setTimeouts(read: 600, write: 30)
        let request: JSONValue = ["action": .string(action), "members": .object(members)]
        guard socket.write(JSONWriter.bytes(of: request) + [0x0A]) else { throw OperatorUnavailable.noAnswer }
        var reader = SocketReader(socket)
        guard let line = reader.line(limit: Self.longestLine), let answer = try? JSONParser.parse(line) else {
            throw OperatorUnavailable.noAnswer
        }
        if let problem = answer["problem"].flatMap({ OperatorProblem($0) }) { throw OperatorRefusal(problem: problem) }
        guard answer["ok"]?.bool == true, let result = answer["result"] else { throw OperatorUnavailable.noAnswer }
        guard answer["continued"]?.bool == true else { return result }
        while true {
            guard let text = reader.line(limit: 20), let length = Int(String(decoding: text, as: UTF8.self)), length >= 0,
                length <= 1 << 30
            else { throw OperatorUnavailable.cutShort }
            if length == 0 { return result }
            guard let bytes = reader.bytes(length) else { throw OperatorUnavailable.cutShort }
            try piece(bytes)
        }
    }

    private func alone(
        _ action: String, _ members: [JSONMember], _ configuration: LoadedConfiguration, _ directory: DataDirectory,
        _ piece: ([UInt8]) throws -> Void
    ) async throws -> JSONValue {
        var options = Server.Options(
            modules: sparkModules, configuration: configuration, directory: directory, logger: CommandLogger.make("warning"))
        options.archive = .continues
        let server = try Server(options)
        do {
            let outcome = try await server.operateAlone(action, members: .object(members), actor: "uid:\(geteuid())")
            if let next = outcome.nextPiece {
                while let bytes = try await next() { try piece(bytes) }
            }
            await server.close()
            return outcome.result
        } catch let error as any ClientError {
            await server.close()
            throw OperatorRefusal(problem: OperatorProblem(error))
        } catch {
            await server.close()
            throw error
        }
    }
}

/// The refusal of an action.
struct OperatorRefusal: Error {
    let problem: OperatorProblem
}

/// No server answered.
struct OperatorUnavailable: Error {
    let hint: String

    static let noAnswer = OperatorUnavailable(
        hint: "the server ended the connection without an answer; look at its log before you repeat this")
    static let cutShort = OperatorUnavailable(hint: "the answer broke off; what came is incomplete")
}

/// The subject of a verb, for messages when it does not exist.
struct OperatorSubject {
    /// The member of the action that names the subject.
    let member: String
    /// The name as given on the command line.
    let name: String
    /// `user`, `report`, `held message`.
    let noun: String
    /// How to find an existing one.
    let next: String
    /// The exit code when it does not exist.
    let exitCode: ExitCode

    static func user(_ name: String) -> OperatorSubject {
        OperatorSubject(
            member: "user", name: name, noun: "user", next: "find people with: spark user find TEXT", exitCode: ExitCodes.noUser)
    }

    static func report(_ name: String) -> OperatorSubject {
        OperatorSubject(
            member: "report", name: name, noun: "report", next: "spark report list --state all lists reports",
            exitCode: ExitCodes.dataError)
    }

    static func heldMessage(_ name: String) -> OperatorSubject {
        OperatorSubject(
            member: "message", name: name, noun: "held message", next: "spark held list lists those that wait",
            exitCode: ExitCodes.dataError)
    }

    var isUnknown: String { "there is no \(noun) \(Display.text(name)); \(next)" }
}

/// Formats refusals for the command line.
enum OperatorWords {
    /// Members that are options of the verbs; all others are arguments.
    private static let options: Set<String> = ["limit", "reason", "state", "target", "before", "decision", "note"]

    /// `--limit: ...`, `the argument <user>: ...`.
    static func line(_ violation: Violation) -> String {
        let member = String(violation.field.drop { $0 == "/" })
        let place = options.contains(member) ? "--\(member)" : "the argument <\(member)>"
        return "\(place): \(sentence(violation.detail))"
    }

    /// An API sentence without its capital and full stop.
    private static func sentence(_ detail: String) -> String {
        let text = detail.hasSuffix(".") ? detail.dropLast() : detail[...]
        // Keeps abbreviations.
        guard let first = text.first, text.dropFirst().first?.isUppercase != true else { return String(text) }
        return first.lowercased() + text.dropFirst()
    }

    /// The server's refusal, one line per violation.
    static func lines(_ problem: OperatorProblem, about subject: OperatorSubject?) -> [String] {
        if !problem.violations.isEmpty {
            return problem.violations.map { violation in
                // A malformed identifier is reported like an unknown one.
                guard let subject, violation.field == "/\(subject.member)", violation.reason == "format" else {
                    return line(violation)
                }
                return "\(line(violation)), not \(Display.text(subject.name)); \(subject.next)"
            }
        }
        if problem.status == 404, problem.code != "operator.unknown_action", let subject { return [subject.isUnknown] }
        return [sentence(problem.detail)]
    }
}

/// Runs a verb. A refusal becomes a line on standard error and an exit code.
/// - Parameter subject: the subject of the verb.
func operating<Value>(on subject: OperatorSubject? = nil, _ body: () async throws -> Value) async throws -> Value {
    try await reporting {
        do {
            return try await body()
        } catch let refusal as OperatorRefusal {
            let problem = refusal.problem
            for line in OperatorWords.lines(problem, about: subject) { Terminal.fail(line) }
            switch problem.status {
            case 404: throw subject?.exitCode ?? ExitCodes.dataError
            case 500: throw ExitCodes.software
            case 429, 503: throw ExitCodes.unavailable
            default: throw ExitCodes.dataError
            }
        } catch let error as OperatorUnavailable {
            Terminal.fail(error.hint)
            throw ExitCodes.unavailable
        }
    }
}

/// The confirmation before a destructive verb.
struct Consent: ParsableArguments {
    @Flag(name: .long, help: "Do not ask for confirmation.")
    var yes = false

    /// Asks on a terminal; without one `--yes` is required.
    /// - Parameter word: the word to type.
    func obtain(_ question: String, word: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            Terminal.fail("\(question) Nothing was done: add --yes.")
            throw ExitCodes.usage
        }
        Terminal.showError("\(Display.text(question)) Type \(Display.text(word)) to continue: ")
        guard readLine() == word else {
            Terminal.fail("Nothing was done.")
            throw ExitCodes.usage
        }
    }
}
