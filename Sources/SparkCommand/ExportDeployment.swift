import ArgumentParser
import Foundation
import Spark
import SparkHTTP
import SparkMetrics
import SparkServer

struct ExportUnit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd-unit", abstract: "A systemd unit that runs the server with only the rights it needs.",
        discussion: "It is made for the settings of --reads or --config: ports below 1024, and the folder of the backups.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Path of the installed binary.")
    var binary = "/usr/local/bin/spark"

    @Option(name: .long, help: "Path of the settings that the server reads; by default it reads no file.")
    var reads: String?

    @Option(name: .long, help: "An existing user who runs the server; by default a user that exists only while it runs.")
    var user: String?

    func validate() throws {
        for (option, path) in [("--binary", binary), ("--reads", reads ?? "/")] {
            guard path.hasPrefix("/"), !path.contains(where: { $0.isWhitespace || $0 == "%" || $0 == "\"" || $0 == "\\" }) else {
                throw ValidationError("\(option) takes an absolute path without spaces, quotes or %.")
            }
        }
        let isName = user?.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard isName != false, user?.isEmpty != true else {
            throw ValidationError("--user takes the name of a user: small letters, digits, - and _.")
        }
    }

    func run() async throws {
        try await reporting {
            var common = common
            // The unit fits the settings that the server reads.
            if common.config == nil, let reads, FileManager.default.isReadableFile(atPath: reads) { common.config = reads }
            let configuration = try common.load()
            let process: ServerConfiguration = configuration.section("server")
            // Twice the time for requests: the last commits and the checkpoint follow.
            let stop = process.shutdownTimeout.roundedUpSeconds * 2
            Terminal.show(
                SystemdUnit.text(
                    binary: binary, stopSeconds: max(30, stop), settings: reads, user: user,
                    opensLowPorts: Self.opensLowPorts(configuration), backups: Self.backups(configuration)))
        }
    }

    private static let data = "/var/lib/spark"

    /// The folder of the backups, if it is outside of the data directory.
    private static func backups(_ configuration: LoadedConfiguration) -> String? {
        let backup: BackupConfiguration = configuration.section("backup")
        // Below the unit's working directory, which is the data directory, the server refuses it.
        guard let folder = backup.folder, folder.hasPrefix("/"), folder != data, !folder.hasPrefix("\(data)/") else { return nil }
        return folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }

    /// Whether a listener needs a port that only privileged processes may open.
    private static func opensLowPorts(_ configuration: LoadedConfiguration) -> Bool {
        let edge: EdgeConfiguration = configuration.section("http")
        let tls: TLSSettings = configuration.section("tls")
        let operators: OperatorConfiguration = configuration.section("operator")
        return [edge.listen, tls.redirectListen, operators.listen].contains { (1..<1_024).contains(ListenAddress($0)?.port ?? 0) }
    }
}

struct ExportSocket: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd-socket", abstract: "A systemd unit that keeps the server's socket open while the server restarts.",
        discussion: "It listens at http.listen. The server then ignores that setting; change ListenStream= in the unit instead.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await reporting {
            let edge: EdgeConfiguration = try common.load().section("http")
            guard let address = edge.address, address.port != 0 else {
                throw ConfigurationError(faults: ["http.listen: the unit needs an address with a port of its own, not 0"])
            }
            guard NetworkAddress(address.host) != nil || address.host == "localhost" else {
                throw ConfigurationError(faults: ["http.listen: systemd needs an IP address, not a name"])
            }
            let host = address.host == "localhost" ? "127.0.0.1" : address.host
            Terminal.show(SystemdSocket.text(address: ListenAddress(host: host, port: address.port).text))
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
