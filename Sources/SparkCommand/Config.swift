import ArgumentParser
import Spark
import SparkFiles
import SparkMetrics

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show or check the configuration.",
        subcommands: [Default.self, Environment.self, CheckConfig.self])

    struct Default: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "default", abstract: "Print the annotated default spark.yaml.")

        func run() throws {
            Terminal.show(ConfigurationSchema(modules: sparkModules).defaultFile)
        }
    }

    struct Environment: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "env", abstract: "List the environment variables, one for each setting.")

        func run() throws {
            for (name, help) in ConfigurationSchema(modules: sparkModules).environment { Terminal.say("\(name)  \(help)") }
        }
    }

    private struct CheckConfig: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check flags, environment and file, and show what they set.")

        @OptionGroup var common: CommonOptions

        /// The origin of a value, without the key, which is printed next to it.
        private static func place(_ origin: String, of key: String) -> String {
            let end = ": \(key)"
            return origin.hasSuffix(end) ? String(origin.dropLast(end.count)) : origin
        }

        func run() async throws {
            try await reporting {
                let configuration = try common.load()
                for note in configuration.notes(in: CommonOptions.surroundings()) { Terminal.note(note) }
                let metrics: MetricsConfiguration = configuration.section("metrics")
                for note in metrics.notesOfRules(knowing: ExportDashboard.groups) { Terminal.note(note) }
                if common.json {
                    let origins = configuration.origins.sorted { $0.key < $1.key }
                    return Terminal.say(json: JSONValue.object(origins.map { JSONMember($0.key, .string($0.value)) }))
                }
                let set = configuration.origins.sorted { $0.key < $1.key }.map { key, origin in
                    ["\(key) = \(Display.text(configuration.shown(key) ?? ""))", "from \(Self.place(origin, of: key))"]
                }
                for line in Display.columns(set, atMost: 48) { Terminal.say(line) }
                let file = common.configurationFile()
                Terminal.say(
                    "\(file.map { "\(NamedFile.absolute($0)) and everything else" } ?? "No file was read; everything") that is set is sound: "
                        + "\(Terminal.count(set.count, "setting")); all others are at their defaults.")
            }
        }
    }
}
