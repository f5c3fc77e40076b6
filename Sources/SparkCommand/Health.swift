import ArgumentParser
import Foundation
import Spark
import SparkClient

struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask a running server whether it is ready.",
        discussion: "Exit code 0 when ready, 69 when not, or when no server runs: for containers.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The server's address; by default that of the server in the data directory.")
    var url: String?

    func run() async throws {
        try await reporting {
            let address = try url ?? common.addressOfRunningServer()
            let answer = try? await SparkClient(url: address, timeout: .seconds(3)).send("GET", "/readyz", body: nil)
            guard let answer, answer.status == 200 else {
                Terminal.fail("\(address) is not ready")
                throw ExitCodes.unavailable
            }
            Terminal.say(common.json ? String(decoding: answer.body, as: UTF8.self) : "\(address) is ready")
        }
    }
}
