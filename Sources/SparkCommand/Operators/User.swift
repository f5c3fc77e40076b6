import ArgumentParser
import Foundation
import Glibc
import Spark

struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Find people, suspend and restore them, end their sessions, export or erase their data.",
        discussion: """
            Works on the running server of the data directory, or on its store when none runs. Everything takes effect at once and \
            leaves a line in the audit log, see spark operator-log. Exit codes: 65 refused, 67 no such user, 69 no server answers, \
            77 not the server's user.
            """,
        subcommands: [
            UserFind.self, UserShow.self, UserSuspend.self, UserRestore.self, UserSignOut.self, UserResetPassword.self,
            UserExport.self, UserErase.self,
        ])

    /// Performs an action on one person.
    static func perform(
        _ action: String, _ user: String, _ common: CommonOptions, _ further: [JSONMember] = [],
        _ lines: (JSONValue) -> [String]
    ) async throws {
        let result = try await operating(on: .user(user)) {
            try await OperatorLink(common: common).perform(action, [JSONMember("user", .string(user))] + further)
        }
        Terminal.answer(result, json: common.json, lines)
    }
}

struct UserFind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "List people by id, or by the beginning of their name or e-mail address.",
        discussion: "Exit code 0 when somebody was found, 67 when not.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, or the beginning of a name or an e-mail address.")
    var text: String

    @Option(name: .long, help: "Maximum number of people, 1 to 200.")
    var limit = 20

    func run() async throws {
        let result = try await operating {
            try await OperatorLink(common: common).perform(
                "user.find", [JSONMember("text", .string(text)), JSONMember("limit", .integer(Int64(limit)))])
        }
        Terminal.answer(result, json: common.json) {
            Display.table(
                $0, ["id", "state", "email", "name"],
                empty: "Nobody was found whose id is \(Display.text(text)), or whose name or e-mail address begins with it.")
                + Self.remark($0)
        }
        if result["items"]?.array?.isEmpty != false { throw ExitCodes.noUser }
    }
}

extension UserFind {
    /// A note when not all results are shown.
    private static func remark(_ answer: JSONValue) -> [String] {
        guard let shown = answer["items"]?.array?.count, let total = answer["total"]?.integer, total > shown else { return [] }
        let isLeast = answer["total_is_least"]?.bool == true
        return ["\(shown) of \(isLeast ? "more than " : "")\(total) are shown; use --limit, up to 200, or a longer text."]
    }
}

struct UserShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a person's account, profile, and the reports about them. Never shows where they are."
    )

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id or an e-mail address.")
    var user: String

    func run() async throws {
        try await User.perform("user.show", user, common) { Display.lines($0) }
    }
}

struct UserSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Hide a person at once, end their sessions and refuse their logins.",
        discussion: "spark user restore undoes it.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var consent: Consent

    @Argument(help: "An id or an e-mail address.")
    var user: String

    @Option(name: .long, help: "A code word for the reason: 1 to 32 lower-case letters, digits, _ or -.")
    var reason: String?

    func run() async throws {
        let further = reason.map { [JSONMember("reason", .string($0))] } ?? []
        try await User.perform("user.suspend", user, common, further) { result in
            let (id, reason) = (Display.word(result["id"]), Display.word(result["reason"]))
            guard result["was_suspended"]?.bool == true else {
                return ["\(id) is suspended; sessions ended: \(Display.word(result["sessions_ended"]))."]
            }
            return ["\(id) is already suspended since \(Display.word(result["suspended_at"])); the reason is \(reason)."]
        }
    }
}

struct UserRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Lift a suspension.",
        discussion: "An account that its owner deleted stays deleted, and is erased when its grace period ends.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id or an e-mail address.")
    var user: String

    func run() async throws {
        try await User.perform("user.restore", user, common) { result in
            let was = result["was_suspended"]?.bool == true ? "is no longer suspended" : "was not suspended"
            return ["\(Display.word(result["id"])) \(was); the account is \(Display.word(result["state"]))."]
        }
    }
}

struct UserSignOut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out", abstract: "End every session of a person, with its connections.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var consent: Consent

    @Argument(help: "An id or an e-mail address.")
    var user: String

    func run() async throws {
        try await User.perform("user.sign-out", user, common) { result in
            ["Sessions of \(Display.word(result["id"])) ended: \(Display.word(result["sessions_ended"]))."]
        }
    }
}

struct UserResetPassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset-password", abstract: "Print a link that lets a person set a new password once.",
        discussion: """
            Printed only once: the server keeps only a hash of it. It expires after accounts.reset_link_minutes, or when another \
            link is made. Setting the password ends every session. Links begin with server.public_url.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id or an e-mail address.")
    var user: String

    func run() async throws {
        try await User.perform("user.reset-password", user, common) { [Display.word($0["link"])] }
    }
}

struct UserExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write everything that is stored about a person, as in their own export.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id or an e-mail address.")
    var user: String

    @Option(name: .shortAndLong, help: "A new file, readable by you alone; standard output if none is given.")
    var output: String?

    func run() async throws {
        var descriptor = STDOUT_FILENO
        if let output {
            descriptor = open(output, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                Terminal.fail("\(output): \(String(cString: strerror(errno)))")
                throw ExitCodes.cannotOpen
            }
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: output != nil)
        var count = 0
        do {
            _ = try await operating(on: .user(user)) {
                try await OperatorLink(common: common).perform("user.export", [JSONMember("user", .string(user))]) { piece in
                    count += piece.count
                    do {
                        try file.write(contentsOf: Data(piece))
                    } catch {
                        Terminal.fail("\(output ?? "standard output"): it cannot be written")
                        throw ExitCodes.ioError
                    }
                }
            }
            if output != nil, fsync(descriptor) != 0 { throw ExitCodes.ioError }
        } catch {
            // Removes a partial export.
            if let output { NewFile.remove(output) }
            throw error
        }
        guard let output else { return Terminal.endLine() }
        let result: JSONValue = ["file": .string(output), "bytes": .integer(Int64(count))]
        Terminal.answer(result, json: common.json) { _ in ["\(output): \(count) bytes."] }
    }
}

struct UserErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erase a person now, without a grace period.",
        discussion: """
            What they wrote disappears for everybody. The evidence of reports stays for matching.evidence_days. Asks on a terminal; \
            elsewhere --yes is needed. Exit code 64 when it was not confirmed.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var consent: Consent

    @Argument(help: "An id or an e-mail address.")
    var user: String

    func run() async throws {
        try consent.obtain("\(user) will be erased for good.", word: user)
        try await User.perform("user.erase", user, common) { ["\(Display.word($0["id"])) is erased."] }
    }
}
