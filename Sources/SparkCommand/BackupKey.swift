import ArgumentParser
import Foundation
import Glibc
import Spark
import SparkBackup
import SparkFiles

struct BackupKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup-key", abstract: "Make a key for encrypted backups.",
        discussion: """
            Writes an identity, a private key of age, into a new file that only you may read, and prints its recipient, the public key \
            for which backups are encrypted. age opens such backups, too. Who loses the file loses the backups: nothing else opens \
            them. Copy it to two places away from this machine and from the backups, then remove it here: a server that makes backups \
            needs the recipient only.
            """)

    @Argument(help: "The new file of the identity. A file that exists is never overwritten.")
    var file: String

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() async throws {
        let identity = AgeIdentity.generate()
        do throws(FileError) {
            try identity.write(toNewFile: file, at: KernelClock().now())
        } catch {
            Terminal.fail(
                error.fault.code == EEXIST
                    ? "\(Display.text(file)) exists, and a key is never overwritten; name another file"
                    : Display.text("\(error)"))
            throw ExitCodes.cannotOpen
        }
        guard !json else {
            return Terminal.say(json: ["recipient": .string("\(identity.recipient)"), "file": .string(file)] as JSONValue)
        }
        Terminal.say("\(identity.recipient)")
        Terminal.note(
            "the identity is in \(Display.text(file)). Who loses this file loses the backups: nothing else opens them. Copy it to two "
                + "places away from this machine and from the backups, then remove it here.")
    }
}
