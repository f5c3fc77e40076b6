import ArgumentParser
import Foundation
import Spark

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine this machine, the settings and the data directory, and say what to do.",
        discussion: """
            Looks at the configuration, file descriptors, memory, the clock, the disk, rights, ports, names, proxies, TLS and \
            libraries. Changes nothing, whether or not a server runs. Run it as the user of the server, or as root, who becomes that user.
            Exit code 0 without a fault, 1 with one; warnings do not count.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let rows = await Doctor(common: common).rows()
        if common.json {
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("sound", rows.faults == 0)
                writer.field("faults", rows.faults)
                writer.field("warnings", rows.warnings)
                writer.key("checks")
                writer.array(rows)
            }
            Terminal.say(String(decoding: writer.bytes, as: UTF8.self))
        } else {
            let width = rows.map(\.check.count).max() ?? 0
            for row in rows {
                let check = row.check.padding(toLength: width, withPad: " ", startingAt: 0)
                Terminal.say("\(Self.sign(row.state))  \(check)  \(Display.text(row.finding))")
                if !row.advice.isEmpty {
                    Terminal.say(String(repeating: " ", count: width + 11) + "→ \(Display.text(row.advice))")
                }
            }
            Terminal.say("")
            Terminal.say("\(Terminal.count(rows.faults, "fault")), \(Terminal.count(rows.warnings, "warning")).")
        }
        if rows.faults > 0 { throw ExitCodes.faultsFound }
    }

    private static func sign(_ state: DoctorRow.State) -> String {
        switch state {
        case .ok: "ok     "
        case .warning: "warning"
        case .fault: "FAULT  "
        }
    }
}
