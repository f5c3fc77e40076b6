import ArgumentParser
import Spark

struct OpenAPI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the OpenAPI 3.1 document of the registered routes.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await reporting {
            let document = try await withTemporaryServer(common) { $0.openAPI }
            Terminal.say(json: document)
        }
    }
}
