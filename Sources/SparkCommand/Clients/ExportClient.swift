import ArgumentParser
import Spark

/// Writes the parts of the clients that follow from the modules' declarations.
struct ExportClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "The types and the routes of the clients in Swift, TypeScript and Python.",
        discussion: """
            SparkClient and the packages in data/clients hold these files for the modules of this repository. With modules of \
            your own, write them anew.
            """, subcommands: [ExportSwiftClient.self, ExportTypeScriptClient.self, ExportPythonClient.self])
}

struct ExportSwiftClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swift", abstract: "ClientModels.swift and ClientRoutes.swift, for Sources/SparkClient/Made.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The folder for the files; it is made if it is missing.")
    var to: String

    func run() async throws {
        try await reporting { try await ClientFiles.write({ SwiftFiles(interface: $0).all }, common, to: to) }
    }
}

struct ExportTypeScriptClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "typescript", abstract: "models.ts and routes.ts, for data/clients/typescript/src.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The folder for the files; it is made if it is missing.")
    var to: String

    func run() async throws {
        try await reporting { try await ClientFiles.write({ TypeScriptFiles(interface: $0).all }, common, to: to) }
    }
}

struct ExportPythonClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "python", abstract: "models.py and routes.py, for data/clients/python/spark_client.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The folder for the files; it is made if it is missing.")
    var to: String

    func run() async throws {
        try await reporting { try await ClientFiles.write({ PythonFiles(interface: $0).all }, common, to: to) }
    }
}

/// Writes the files of a client from the documents of a server with all modules.
private enum ClientFiles {
    static func write(
        _ files: (ClientInterface) -> [(name: String, text: String)], _ common: CommonOptions, to folder: String
    ) async throws {
        let documents = try await withTemporaryServer(common) { ($0.openAPI, $0.asyncAPI) }
        let interface: ClientInterface
        do {
            interface = try ClientInterface(openAPI: documents.0, asyncAPI: documents.1)
        } catch {
            Terminal.fail("\(error)")
            throw ExitCodes.software
        }
        try ExportedFiles.write(files(interface), to: folder)
    }
}
