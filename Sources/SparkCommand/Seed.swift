import ArgumentParser
import Foundation
import Spark
import SparkDemo

struct Seed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seed", abstract: "Fill a new data directory with a demo town.",
        discussion: """
            The same numbers give the same town. People have no passwords; `spark token` lets you be one of them.
            The next seed in a directory discards an interrupted one; until then spark serve refuses the directory.
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "How many people, 1 to 10,000,000.")
    var people = 10_000

    @Option(name: .long, help: "The seed of the town.")
    var seed: UInt64 = 1

    @Flag(name: .long, help: "Do nothing when the data directory has a database already.")
    var ifNew = false

    func validate() throws {
        guard (1...10_000_000).contains(people) else { throw ValidationError("--people must be 1 to 10000000") }
    }

    func run() async throws {
        try await reporting {
            let configuration = try common.load(mayUsePackage: false)
            let process: ServerConfiguration = configuration.section("server")
            let directory = try DataDirectory(path: process.dataDirectory)
            do {
                // An interrupted seed leaves an incomplete town.
                try directory.discardUnfinishedSeed()
                if !directory.hasDatabase || directory.isEmptied { try directory.begin(.seed) }
            } catch {
                directory.release()
                throw error
            }
            if directory.unfinishedWork != .seed {
                directory.release()
                if ifNew { return }
                throw StorageOpenError(
                    operation: "seed", path: process.dataDirectory,
                    hint: "there is a database already; name a new directory with --data")
            }
            var options = Server.Options(
                modules: sparkModules, configuration: configuration, directory: directory,
                logger: CommandLogger.make(configuration))
            options.start.takesUpUnfinishedWork = true
            options.archive = .continues
            let server = try Server(options)
            let start = ContinuousClock.now
            let town = GeneratedTown(count: people, seed: seed, now: SystemWallClock().now())
            let bar = ProgressBar(total: people)
            try server.load(town) { bar.show($0, $1) }
            try await server.closeAfterWork()
            report(town, elapsed: start.duration(to: .now), directory: process.dataDirectory)
        }
    }

    private func report(_ town: GeneratedTown, elapsed: Duration, directory: String) {
        let rate = Int(Double(people) / max(0.001, elapsed.inSeconds))
        let first = town.person(0)
        if common.json {
            Terminal.say(
                json: [
                    "people": .integer(Int64(people)), "seed": .string("\(seed)"), "seconds": .number(elapsed.inSeconds),
                    "people_per_second": .integer(Int64(rate)), "first_user": .string(first.id.wire),
                ] as JSONValue)
        } else {
            Terminal.say(
                "\(people) people in \(directory), \(rate) a second. "
                    + "Be one of them: spark token \(first.email) --data \(directory)")
        }
    }
}
