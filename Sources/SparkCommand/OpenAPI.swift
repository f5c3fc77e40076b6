import ArgumentParser
import Spark

struct OpenAPI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the OpenAPI 3.1 document of the registered routes.")

    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "With the routes for tests that an ephemeral server has.")
    var fixture = false

    func run() async throws {
        try await reporting {
            let document = try await withTemporaryServer(common, isFixture: fixture) { $0.openAPI }
            Terminal.say(json: document)
        }
    }
}
