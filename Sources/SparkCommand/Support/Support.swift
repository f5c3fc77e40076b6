import ArgumentParser
import Foundation
import Glibc
import Spark
import SparkFiles
import SparkKit
import SparkServer
import SparkStorage

struct Support: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "support", abstract: "Write an archive that helps others to understand a problem, without data of people.",
        discussion: """
            It holds the version, the settings without secrets, what doctor and check find, limits, metrics, rows and bytes of \
            each table, and the structure of the database; no rows, no logs, no keys. Works beside a running server. Read it \
            before you send it: tar -xzf.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The archive to write, such as support.tar.gz; it must not exist.")
    var to: String

    func run() async throws {
        try await reporting {
            // Before the work: an operator should not wait for a file that cannot be written. As root, before the process becomes
            // the server's user, who may not write everywhere.
            let descriptor = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw StorageOpenError(
                    operation: "write archive", path: to,
                    hint: errno == EEXIST ? "it exists already; choose another name" : String(cString: strerror(errno)))
            }
            defer { close(descriptor) }
            do {
                let configuration = try common.load(isForRunning: true)
                let files = await SupportBundle(common: common, configuration: configuration).files()
                var archive = TarArchive(modified: SystemWallClock().now().milliseconds / 1_000)
                for file in files { archive.add("spark-support/\(file.path)", file.content) }
                archive.finish()
                guard let bytes = GzipCompressor(level: .best)?.compress(archive.bytes) else {
                    throw StorageOpenError(operation: "write archive", path: to, hint: "there is no memory for it")
                }
                try SystemFiles().writeWhole(descriptor, bytes, at: 0)
                report(files.map(\.path), bytes.count)
            } catch let error as FileFault {
                NewFile.remove(to)
                throw StorageOpenError(operation: "write archive", path: to, hint: "\(error)")
            } catch {
                NewFile.remove(to)
                throw error
            }
        }
    }

    private func report(_ names: [String], _ count: Int) {
        if common.json {
            Terminal.say(
                json: [
                    "archive": .string(to), "bytes": .integer(Int64(count)), "files": .array(names.map { .string($0) }),
                ] as JSONValue)
        } else {
            Terminal.say("\(Display.text(to)): \(names.count) files, \(count) bytes. Read it before you send it.")
        }
    }
}
