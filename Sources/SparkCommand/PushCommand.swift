import ArgumentParser
import Spark

/// `spark push`: the operators' verbs for pushes.
struct Push: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send test pushes, and look at the outbox.", subcommands: [PushTest.self, PushOutbox.self])
}

struct PushTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Send a test push to a user's devices, and print what each provider answers.",
        discussion: """
            Works beside a running server and bypasses its outbox. Exit code 0 when every device was reached, 1 when one was not, 67 for an \
            unknown user or device.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Id or e-mail address of the user.")
    var user: String

    @Option(name: .long, help: "Only the device of this name.")
    var device: String?

    func run() async throws {
        let trials = try await pushing(common) { operations, server in
            let named = try await server.port((any TokenIssuing).self)?.user(withEmail: user)
            guard let id = UserID(wire: user) ?? named else {
                Terminal.fail(OperatorSubject.user(user).isUnknown)
                throw ExitCodes.noUser
            }
            if !common.json {
                for (provider, fault) in await operations.providerFaults() {
                    Terminal.say("\(provider): \(fault ?? "ready")")
                }
            }
            return try await operations.test(id, device: device)
        }
        guard !trials.isEmpty else {
            let device = device.map { "no device \(Display.text($0))" } ?? "no device"
            Terminal.fail("\(Display.text(user)) has \(device); apps register devices with PUT /api/v1/me/devices/{id}")
            throw ExitCodes.noUser
        }
        for trial in trials {
            if common.json {
                Terminal.say(json: trial)
            } else {
                Terminal.say("\(trial.device) (\(trial.provider)): \(trial.isAccepted ? "accepted" : trial.reason ?? "failed")")
            }
        }
        if !trials.allSatisfy(\.isAccepted) { throw ExitCodes.faultsFound }
    }
}

struct PushOutbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "Print the outbox as JSON: counts, waiting pushes, and what devices of the provider log received.",
        discussion: "Works beside a running server.")

    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "Maximum number of lines in each list.")
    var limit = 100

    func run() async throws {
        let outbox = try await pushing(common) { operations, _ in try await operations.outbox(limit: max(0, limit)) }
        Terminal.say(String(decoding: outbox, as: UTF8.self))
    }
}

/// Runs `body` with Push on a server without a socket.
private func pushing<Value>(
    _ common: CommonOptions, _ body: (any PushOperating, Server) async throws -> Value
) async throws -> Value {
    try await reporting {
        let server = try common.openServer(try common.load())
        guard let operations = server.port((any PushOperating).self) else {
            await server.close()
            Terminal.fail("the module push is switched off (modules.disabled)")
            throw ExitCodes.configuration
        }
        do {
            let value = try await body(operations, server)
            await operations.shutDown()
            await server.close()
            return value
        } catch {
            await operations.shutDown()
            await server.close()
            throw error
        }
    }
}
