import Foundation

/// A `moto_server`, which is AWS in memory, on a port that the system picks.
package final class MotoProcess: Sendable {
    /// Whether the program is there.
    package static let isInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/moto_server") }

    package let url: String
    private let process: ChildProcess
    private let log: URL

    private init(url: String, process: ChildProcess, log: URL) { (self.url, self.process, self.log) = (url, process, log) }

    package static func start() async throws -> MotoProcess {
        let log = FileManager.default.temporaryDirectory.appending(path: "spark-moto-\(UUID().uuidString)")
        try Data().write(to: log)
        let errors = try FileHandle(forWritingTo: log)
        let process = try ChildProcess("moto_server", ["-p", "0"], errors: errors.fileDescriptor)
        do {
            var url = ""
            try await until("moto_server answers", every: .milliseconds(20)) {
                let text = try String(contentsOf: log, encoding: .utf8)
                guard let range = text.firstRange(of: /http:\/\/127\.0\.0\.1:[0-9]+/) else { return false }
                url = String(text[range])
                return true
            }
            return MotoProcess(url: url, process: process, log: log)
        } catch {
            process.signal(SIGKILL)
            _ = await process.end()
            throw error
        }
    }

    package func stop() async {
        process.signal(SIGKILL)
        _ = await process.end()
        try? FileManager.default.removeItem(at: log)
    }
}
