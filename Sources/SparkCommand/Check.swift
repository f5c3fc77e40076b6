import ArgumentParser
import Spark

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the database: pages, foreign keys, spatial metadata, R-tree against geometry, the modules' invariants.",
        discussion: "Exit code 0 when sound, 1 when not.")

    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "Also compare the hot index with the database, and its decks with those from the R-tree.")
    var deep = false

    func run() async throws {
        let faults = try await reporting {
            let server = try common.openServer(try common.load())
            do {
                let faults = try server.check(isDeep: deep)
                await server.close()
                return faults
            } catch {
                await server.close()
                throw error
            }
        }
        if common.json {
            Terminal.say(
                json: ["sound": .bool(faults.isEmpty), "faults": .array(faults.map { .string($0) })] as JSONValue)
        } else {
            for fault in faults { Terminal.say(fault) }
            Terminal.say(faults.isEmpty ? "The database is sound." : "\(Terminal.count(faults.count, "fault")).")
        }
        if !faults.isEmpty { throw ExitCodes.faultsFound }
    }
}
