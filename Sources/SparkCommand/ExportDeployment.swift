import ArgumentParser
import Foundation
import Spark
import SparkMetrics
import SparkServer

struct ExportUnit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd-unit", abstract: "A systemd unit that runs the server with only the rights it needs.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Path of the installed binary.")
    var binary = "/usr/local/bin/spark"

    func validate() throws {
        guard binary.hasPrefix("/"), !binary.contains(where: { $0.isWhitespace || $0 == "%" || $0 == "\"" || $0 == "\\" }) else {
            throw ValidationError("--binary takes an absolute path without spaces, quotes or %.")
        }
    }

    func run() async throws {
        try await reporting {
            let process: ServerConfiguration = try common.load().section("server")
            // Twice the time for requests: the last commits and the checkpoint follow.
            let stop = process.shutdownTimeout.roundedUpSeconds * 2
            Terminal.show(SystemdUnit.text(binary: binary, stopSeconds: max(30, stop)))
        }
    }
}

struct ExportDockerfile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dockerfile", abstract: "A Dockerfile that builds and runs the server without root.")

    @Option(name: .long, help: "Port in the container.")
    var port: UInt16 = 7775

    func run() async throws { Terminal.show(Dockerfile.text(port: Int(port))) }
}
