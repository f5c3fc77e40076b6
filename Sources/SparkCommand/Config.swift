import ArgumentParser
import Foundation
import Spark

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show or check the configuration.", subcommands: [Default.self, Environment.self, CheckConfig.self])

    struct Default: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the annotated default spark.yaml.")

        func run() throws {
            FileHandle.standardOutput.write(Data(ConfigurationSchema(modules: sparkModules).defaultFile.utf8))
        }
    }

    struct Environment: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "env", abstract: "List the environment variables, one for each setting.")

        func run() throws {
            for (name, help) in ConfigurationSchema(modules: sparkModules).environment { Terminal.say("\(name)  \(help)") }
        }
    }

    struct CheckConfig: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check flags, environment and file, and show what is not at its default.")

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await reporting {
                let configuration = try common.load()
                for note in configuration.notes { Terminal.note(note) }
                if common.json {
                    let origins = configuration.origins.sorted { $0.key < $1.key }
                    return Terminal.say(json: JSONValue.object(origins.map { JSONMember($0.key, .string($0.value)) }))
                }
                for (key, origin) in configuration.origins.sorted(by: { $0.key < $1.key }) {
                    Terminal.say("\(key) from \(origin)")
                }
                Terminal.say("The configuration is sound.")
            }
        }
    }
}
