import ArgumentParser
import Foundation
import Glibc
import Logging
import Spark
import SparkFiles
import SparkFixture
import Synchronization

struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command beside a server for tests, and end with its exit code.",
        discussion: """
            The server keeps nothing and is gone when the command has ended, also its clones. The command finds its address in SPARK_URL, \
            the token for /__test__/ in SPARK_ADMIN_TOKEN and the process in SPARK_PID. Signals are passed on to the command. \
            Ends with 128 and the signal's number when a signal ended the command.
            """)

    @Option(name: .long, help: "Configuration file of the server; the default is ./spark.yaml if it exists.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting of the server: section.key=value. May be repeated.")
    var settings: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The people to begin with, a name or a file: \(Scenario.names.joined(separator: ", ")).", valueName: "name-or-file"))
    var scenario = "empty"

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("There is no command; give one after --, such as -- npm test.") }
        try ScenarioChoice.validate(scenario)
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        PassedSignals.begin()
        let code = try await reporting {
            var arguments = config.map { ["--config", $0] } ?? []
            arguments += settings.flatMap { ["--set", $0] }
            let common = try CommonOptions.parse(arguments)
            let configuration = try common.load(
                own: [SettingFlag("exec", "http.listen=127.0.0.1:0")], isEphemeral: true)
            let scenario = try ScenarioChoice.read(scenario)
            var options = Server.Options(
                modules: sparkModules, configuration: configuration, directory: try DataDirectory.temporary(),
                logger: CommandLogger.make(configuration, atLeast: .warning))
            options.isEphemeral = true
            options.scenario = ScenarioLoader(scenario)
            options.cloning = CloneProcess(
                program: "/proc/self/exe",
                arguments: ["serve", "--ephemeral", "--exit-with-parent", "--json", "--listen", "127.0.0.1:0"] + arguments)
            defer { CommandLogger.flush() }
            return try await run(beside: Server.launch(options))
        }
        throw ExitCode(code)
    }

    /// Runs the command once the server is ready, and ends the server afterwards.
    /// - Returns: the exit code.
    private func run(beside server: Server) async throws -> Int32 {
        let result = Mutex<Int32?>(nil)
        let command = command
        try await server.run(handlesSignals: false) { listening in
            // The announcement must return, so that the server counts as started.
            Thread.detachNewThread {
                let code = PassedSignals.early.map { 128 + $0 } ?? Self.run(command, beside: listening)
                result.withLock { $0 = code }
                Task { await server.shutDown() }
            }
        }
        return result.withLock { $0 } ?? ExitCodes.software.rawValue
    }

    /// Runs the command to its end, with this process's standard streams. Blocks.
    private static func run(_ command: [String], beside listening: Listening) -> Int32 {
        var environment = ProcessInfo.processInfo.environment
        environment["SPARK_URL"] = listening.url
        environment["SPARK_ADMIN_TOKEN"] = listening.adminToken
        environment["SPARK_PID"] = "\(getpid())"
        let child: ChildProgram
        do {
            child = try ChildProgram(
                command[0], Array(command.dropFirst()), environment: environment, input: .inherited, output: .inherited,
                errors: .inherited)
        } catch {
            Terminal.fail("\(Display.text(command[0])): \(error.fault)")
            return (error.fault.code == ENOENT ? ExitCodes.notFound : ExitCodes.notRunnable).rawValue
        }
        PassedSignals.pass(to: child.pid)
        child.awaitEnd()
        // From here on the number may be another process's.
        PassedSignals.pass(to: 0)
        let status = child.wait()
        return status < 0 ? 128 - status : status
    }
}

/// Passes the signals of this process on to a child.
///
/// A signal that a terminal sends goes to the whole group of processes, so the child has it already; it is not sent twice.
private enum PassedSignals {
    private static let child = Atomic<Int32>(0)
    private static let first = Atomic<Int32>(0)
    private static let numbers = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    /// The signal that came before there was a child; nil for none.
    static var early: Int32? {
        let number = first.load(ordering: .acquiring)
        return number == 0 ? nil : number
    }

    /// From now on signals do not end this process.
    static func begin() {
        // Initialized before a handler uses them.
        _ = (child.load(ordering: .relaxed), first.load(ordering: .relaxed))
        for number in numbers {
            var action = sigaction()
            action.__sigaction_handler.sa_sigaction = { number, information, _ in
                let code = errno
                let pid = PassedSignals.child.load(ordering: .acquiring)
                if pid == 0 {
                    _ = PassedSignals.first.compareExchange(expected: 0, desired: number, ordering: .acquiringAndReleasing)
                } else if information?.pointee.si_code != PassedSignals.fromTerminal {
                    kill(pid, number)
                }
                errno = code
            }
            action.sa_flags = SA_SIGINFO | SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// `SI_KERNEL` of Linux: the kernel sent it, such as for Ctrl-C.
    private static let fromTerminal: Int32 = 0x80

    /// Signals go to this process; 0 for none.
    static func pass(to pid: pid_t) {
        child.store(pid, ordering: .releasing)
        // One may have come between the look and the start.
        if pid != 0, let number = early { kill(pid, number) }
    }
}
