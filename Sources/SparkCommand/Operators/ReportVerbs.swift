import ArgumentParser
import Spark

struct Report: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "List, show and decide reports.",
        discussion: "Exit codes: 65 refused or no such report, 69 no server answers, 77 not the server's user.",
        subcommands: [ReportList.self, ReportShow.self, ReportClose.self])
}

struct ReportList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List reports, the newest first.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "open, closed or all.")
    var state = "open"

    @Option(name: .long, help: "Only about this person: an id.")
    var target: String?

    @Option(name: .long, help: "Only reports older than this one: an id.")
    var before: String?

    @Option(name: .long, help: "Maximum number of reports, 1 to 200.")
    var limit = 50

    func run() async throws {
        var members = [JSONMember("state", .string(state)), JSONMember("limit", .integer(Int64(limit)))]
        if let target { members.append(JSONMember("target", .string(target))) }
        if let before { members.append(JSONMember("before", .string(before))) }
        let result = try await operating { [members] in
            try await OperatorLink(common: common).perform("report.list", members)
        }
        Terminal.answer(result, json: common.json) {
            let last = $0["items"]?.array?.last?["id"]?.string ?? ""
            let more = "The newest \(limit) are shown; there are more: use --limit, up to 200, or --before \(last)."
            return Display.table(
                $0, ["id", "state", "created_at", "category", "target_id", "reporters_of_target", "decision"],
                empty: state == "open" ? "No report is open." : "There are none.")
                + ($0["more"]?.bool == true ? [more] : [])
        }
    }
}

struct ReportShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a report with its evidence: the profile and the messages as they were.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The report's id.")
    var report: String

    func run() async throws {
        let result = try await operating(on: .report(report)) {
            try await OperatorLink(common: common).perform("report.show", [JSONMember("report", .string(report))])
        }
        Terminal.answer(result, json: common.json) { Display.lines($0) }
    }
}

struct ReportClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Decide a report.",
        discussion: """
            none: the report was unfounded and counts against nobody. warned: the person was warned. suspended: also suspends the \
            person, like spark user suspend.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var consent: Consent

    @Argument(help: "The report's id.")
    var report: String

    @Option(name: .long, help: "none, warned or suspended.")
    var decision: String

    @Option(name: .long, help: "A code word: 1 to 32 lower-case letters, digits, _ or -.")
    var note: String?

    func run() async throws {
        var members = [JSONMember("report", .string(report)), JSONMember("decision", .string(decision))]
        if let note { members.append(JSONMember("note", .string(note))) }
        let result = try await operating(on: .report(report)) { [members] in
            try await OperatorLink(common: common).perform("report.close", members)
        }
        Terminal.answer(result, json: common.json) { ["\(Display.word($0["id"])) is closed: \(Display.word($0["decision"]))."] }
    }
}
