import ArgumentParser
import Spark

/// `spark`: one verb per file.
struct SparkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spark",
        abstract: "A dating backend in one binary.",
        version: "spark \(SparkVersion.text)",
        subcommands: [
            Serve.self, Seed.self, Modules.self, Config.self, Check.self, Token.self, Why.self, Push.self, User.self, Report.self,
            Held.self, OperatorLog.self, Audit.self, OpenAPI.self, Export.self, Health.self, Top.self, Limits.self, Version.self,
        ])
}
