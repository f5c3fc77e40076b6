import ArgumentParser

/// `spark`: one verb a file.
@main
struct SparkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spark",
        abstract: "A dating backend in one binary.",
        subcommands: [
            Serve.self, Seed.self, Modules.self, Config.self, Check.self, Token.self, Why.self, Push.self, Audit.self,
            OpenAPI.self, Export.self, Health.self, Top.self, Limits.self, Version.self, Bench.self,
        ])
}
