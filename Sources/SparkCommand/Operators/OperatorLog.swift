import ArgumentParser
import Spark

struct OperatorLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator-log", abstract: "Print what operators did: the audit log of the verbs user, report and held.",
        discussion: """
            The newest line first. Each has a hash that covers the line before; all are verified. Works beside a running \
            server. Exit code 0 when the log is whole, 1 when lines were changed, removed or cut off: standard error says which. (spark audit is something else: it attacks a server to measure what others learn of people.)
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Maximum number of lines, 1 to 10000.")
    var limit = 100

    @Option(name: .long, help: "Only lines before this number.")
    var before: Int64?

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be 1 to 10000") }
    }

    func run() async throws {
        let (found, faults) = try await reporting {
            let server = try common.openServer(try common.load())
            do {
                let lines = try server.storage.readNow {
                    try AuditLog.lines(before: before ?? .max, limit: limit + 1, in: $0)
                }
                let faults = try server.auditLogFaults()
                await server.close()
                return (lines, faults)
            } catch {
                await server.close()
                throw error
            }
        }
        let lines = found.prefix(limit)
        if common.json {
            for line in lines { Terminal.say(json: line) }
        } else {
            show(lines, hasMore: found.count > limit)
        }
        for fault in faults { Terminal.fail(fault) }
        if !faults.isEmpty { throw ExitCodes.faultsFound }
    }

    private func show(_ lines: ArraySlice<AuditLine>, hasMore: Bool) {
        guard !lines.isEmpty else { return Terminal.say("There are no lines.") }
        let rows = lines.map { line in
            [
                "\(line.seq)", "\(line.at)", line.actor, line.action, line.subjects.joined(separator: " "),
                String(line.digest.prefix(16)),
            ].map(Display.text)
        }
        for row in Display.columns([["LINE", "AT", "USER", "ACTION", "ABOUT", "HASH"]] + rows) { Terminal.say(row) }
        guard hasMore, let last = lines.last else { return }
        Terminal.say("The newest \(lines.count) are shown; there are more: use --limit, up to 10000, or --before \(last.seq).")
    }
}
