import ArgumentParser
import Foundation
import Spark

struct Modules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modules",
        abstract: "List the modules with what each declares: dependencies, routes, events, metrics, tables.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await reporting {
            let inventory = try await withTemporaryServer(common) { $0.inventory }
            if common.json {
                var writer = JSONWriter()
                writer.array(inventory)
                return Terminal.say(String(decoding: writer.bytes, as: UTF8.self))
            }
            for module in inventory {
                Terminal.say("\(module.id): \(module.summary)")
                for (name, items) in module.lists where !items.isEmpty {
                    Terminal.say("  \(name)")
                    for item in items { Terminal.say("    \(item)") }
                }
            }
        }
    }
}

/// Builds a server only to inspect it.
/// - Parameter isFixture: whether it is one that a test steers.
func withTemporaryServer<Value>(
    _ common: CommonOptions, isFixture: Bool = false, _ body: (Server) throws -> Value
) async throws -> Value {
    let configuration = try common.load(isEphemeral: true)
    let directory = try DataDirectory.temporary()
    var options = Server.Options(
        modules: sparkModules, configuration: configuration, directory: directory, logger: CommandLogger.make("error"))
    options.isEphemeral = true
    options.hasFixture = isFixture
    let server = try Server(options)
    let value = Result { try body(server) }
    await server.close()
    if let signal = StopSignals.shared.signal { throw ExitCode(128 + signal) }
    return try value.get()
}
