import ArgumentParser
import Spark

struct OperatorLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator-log", abstract: "Print what operators did: the audit log of the verbs user, report and held.",
        discussion: """
            The newest line first. Each has a hash that covers the line before; spark check verifies them all. Works beside a running \
            server. (spark audit is something else: it attacks a server to measure what others learn of people.)
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Lines at most, 1 to 10000.")
    var limit = 100

    @Option(name: .long, help: "Only lines before this number.")
    var before: Int64?

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be 1 to 10000") }
    }

    func run() async throws {
        let lines = try await reporting {
            let server = try common.openServer(try common.load())
            do {
                let lines = try server.storage.readNow {
                    try AuditLog.lines(before: before ?? .max, limit: limit, in: $0)
                }
                await server.close()
                return lines
            } catch {
                await server.close()
                throw error
            }
        }
        for line in lines {
            if common.json {
                Terminal.say(json: line)
            } else {
                let subjects = line.subjects.joined(separator: " ")
                Terminal.say("\(line.seq)  \(line.at)  \(line.actor)  \(line.action)  \(subjects)  \(line.digest.prefix(16))")
            }
        }
    }
}
