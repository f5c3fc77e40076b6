import ArgumentParser
import Foundation
import Spark
import SparkClient
import SparkCore
import SparkFiles
import SparkServer

struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask a running server whether it is ready.",
        discussion: "Exit code 0 when ready, 69 when not, or when no server runs: for containers.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The server's address; by default that of the server in the data directory.")
    var url: String?

    @Option(name: .long, help: "With --url: a file in PEM with the authorities to trust, instead of those of this machine.")
    var trustedRoots: String?

    private static let patience = Duration.seconds(3)
    /// The longest file of authorities, in bytes.
    private static let longestFile = 1 << 20

    func validate() throws {
        if trustedRoots != nil, url == nil { throw ValidationError("--trusted-roots needs --url.") }
    }

    func run() async throws {
        try await reporting {
            let address: String
            let outcome: ServerProbe.Outcome
            if let url {
                address = url.hasSuffix("/") ? String(url.dropLast()) : url
                try checkRoots()
                let now = SystemWallClock().now().milliseconds / 1_000
                let probe = ServerProbe(url: address, trustedRoots: trustedRoots, patience: Self.patience, now: now)
                outcome = await probe.ask("/readyz")
            } else {
                address = try common.addressOfRunningServer()
                let client = SparkClient(ofThisMachine: address, timeout: Self.patience)
                let answer = try? await client.send("GET", "/readyz", body: nil)
                outcome = answer.map { .answered($0) } ?? .silent("does not answer")
            }
            switch outcome {
            case .answered(let answer) where answer.status == 200:
                Terminal.say(common.json ? String(decoding: answer.body, as: UTF8.self) : "\(address) is ready")
            case .answered:
                Terminal.fail("\(Display.text(address)) is not ready")
                throw ExitCodes.unavailable
            case .silent(let reason):
                Terminal.fail("\(Display.text(address)) \(reason)")
                throw ExitCodes.unavailable
            }
        }
    }

    private func checkRoots() throws {
        guard let trustedRoots, let refusal = NamedFile.refusal(of: trustedRoots, atMost: Self.longestFile) else { return }
        throw StorageOpenError(
            operation: "read trusted roots", path: NamedFile.absolute(trustedRoots), hint: "\(refusal)")
    }
}
