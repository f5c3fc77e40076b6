import ArgumentParser
import Spark

struct Held: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "held", abstract: "List, release and refuse messages that wait for a moderator.",
        discussion: "Exit codes: 65 refused or no such message, 69 no server answers, 77 not the server's user.",
        subcommands: [HeldList.self, HeldRelease.self, HeldRefuse.self])

    static func decide(_ action: String, _ message: String, _ common: CommonOptions) async throws {
        let result = try await operating(on: .heldMessage(message)) {
            try await OperatorLink(common: common).perform(action, [JSONMember("message", .string(message))])
        }
        Terminal.answer(result, json: common.json) { ["\(Display.word($0["id"])) is \(Display.word($0["state"]))."] }
    }
}

struct HeldList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List held messages, the oldest first.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Maximum number of messages, 1 to 200.")
    var limit = 50

    func run() async throws {
        let result = try await operating {
            try await OperatorLink(common: common).perform("held.list", [JSONMember("limit", .integer(Int64(limit)))])
        }
        Terminal.answer(result, json: common.json) {
            Display.table($0, ["id", "held_at", "from", "to", "text"], empty: "No message waits.")
                + ($0["more"]?.bool == true ? ["The oldest \(limit) are shown; there are more: use --limit, up to 200."] : [])
        }
    }
}

struct HeldRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Send a held message now; both people get it like a new one.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var message: String

    func run() async throws { try await Held.decide("held.release", message, common) }
}

struct HeldRefuse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refuse", abstract: "Discard a held message; nobody is notified.",
        discussion: "Asks on a terminal; elsewhere --yes is needed. Exit code 64 when it was not confirmed.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var consent: Consent

    @Argument(help: "The message's id.")
    var message: String

    func run() async throws {
        try consent.obtain("\(message) will be discarded.", word: "yes")
        try await Held.decide("held.refuse", message, common)
    }
}
