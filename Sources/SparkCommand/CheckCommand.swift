import ArgumentParser
import Spark

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the database: pages, foreign keys, spatial metadata, R-tree against geometry, the modules' invariants.",
        discussion: """
            Changes nothing, whether or not a server runs. For damaged pages it names their table or index and what is lost.
            Exit code 0 when sound, 1 when not.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "Also compare the hot index with the database, and its decks with those from the R-tree.")
    var deep = false

    func run() async throws {
        let report = try await reporting {
            let found: (server: Server?, loss: String?)
            do {
                found = try common.openServerForInspection(try common.load())
            } catch let error as UnreadableDatabase {
                let page = Handbook.page("data-directory.md")
                let note = "nothing else was checked: the database cannot be opened; \(page) says what can be saved"
                return Server.CheckReport(faults: error.faults, notes: [note])
            }
            guard let server = found.server else {
                return Server.CheckReport(faults: [found.loss ?? "there is no database"], notes: [])
            }
            do {
                let report = try server.checkReport(isDeep: deep)
                await server.close()
                return report
            } catch {
                await server.close()
                throw error
            }
        }
        let faults = report.faults
        if common.json {
            Terminal.say(
                json: [
                    "sound": .bool(faults.isEmpty), "faults": .array(faults.map { .string($0) }),
                    "notes": .array(report.notes.map { .string($0) }),
                ] as JSONValue)
        } else {
            for line in faults + report.notes.map({ "Note: \($0)" }) { Terminal.say(line) }
            Terminal.say(faults.isEmpty ? "The database is sound." : "\(Terminal.count(faults.count, "fault")).")
        }
        if !faults.isEmpty { throw ExitCodes.faultsFound }
    }
}
