import ArgumentParser
import Foundation
import Glibc
import Spark

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the API until SIGTERM or SIGINT.",
        discussion: """
            Prints one line when ready: a banner on a terminal, otherwise {"event":"ready","url":…,"pid":…}.
            With --ephemeral everything is temporary and gone at the end, password hashing is cheap and rate limits are far away.
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Address and port, e.g. 127.0.0.1:0 for a port that the system picks.")
    var listen: String?

    @Flag(name: .long, help: "Keep everything in a temporary directory that goes away.")
    var ephemeral = false

    @Flag(
        name: .long,
        help: "The database is a copy, such as a disk image: devices begin anew. Other copies are recognized without this.")
    var newEpoch = false

    @Flag(name: .long, help: "The database is gone although the directory was in use: move the rest aside and begin with nobody.")
    var beginAnew = false

    @Flag(
        name: .long, help: "The server's key is gone although the directory was in use: make another; everybody signs in again.")
    var newKey = false

    @Flag(name: .long, help: "Stop when the parent process ends.")
    var exitWithParent = false

    @Flag(name: .long, help: "Send WebSocket messages on /api/v1/ws/echo back, to anybody; for conformance suites.")
    var wsEcho = false

    func validate() throws {
        if ephemeral, common.data != nil {
            throw ValidationError("--ephemeral keeps everything in a temporary directory: leave out --data, or --ephemeral")
        }
    }

    func run() async throws {
        try await reporting {
            let configuration = try common.load(
                further: (listen.map { ["http.listen=\($0)"] } ?? []) + (wsEcho ? ["http.ws_echo=true"] : []))
            let process: ServerConfiguration = configuration.section("server")
            OpenFiles.raiseLimit()
            let directory = try ephemeral ? DataDirectory.temporary() : DataDirectory(path: process.dataDirectory)
            var options = Server.Options(
                modules: sparkModules, configuration: configuration, directory: directory,
                logger: CommandLogger.make(ephemeral ? "warning" : process.logLevel))
            options.isEphemeral = ephemeral
            options.start.isNewHistory = newEpoch
            options.start.beginsAnew = beginAnew
            options.start.makesNewKey = newKey
            let server = try Server(options)
            if exitWithParent { ParentWatch.start { await server.shutDown() } }
            do {
                try await server.run(handlesSignals: true) { announce($0) }
            } catch let error as StorageFailure {
                throw error
            } catch let error as any Error & CustomStringConvertible where "\(error)".contains("bind") {
                throw StorageOpenError(
                    operation: "listen", path: listen ?? "http.listen", hint: "the address cannot be bound: \(error)")
            }
        }
    }

    private func announce(_ listening: Listening) {
        if Terminal.isInteractive, !common.json {
            Terminal.say(
                """

                  ⚡ Spark \(SparkVersion.text)
                     API      \(listening.url)/api/v1
                     Docs     \(listening.url)/openapi.json
                     Data     \(listening.directory.path)\(ephemeral ? " (temporary)" : "")

                """)
        } else {
            Terminal.say(json: ReadyLine(listening: listening))
        }
        SystemdNotification.send("READY=1")
    }
}

/// The line that programs wait for.
private struct ReadyLine: JSONWritable {
    let listening: Listening

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("event", "ready")
            writer.field("url", listening.url)
            writer.field("pid", Int(getpid()))
            writer.field("data", listening.directory.path)
            writer.field("version", SparkVersion.text)
        }
    }
}
