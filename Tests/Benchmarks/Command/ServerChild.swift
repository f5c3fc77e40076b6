import Foundation
import SparkCore
import SparkFiles

/// Runs `spark serve`, from the binary beside this one, as a child process.
final class ServerChild {
    let url: String
    private let program: ChildProgram

    var pid: pid_t { program.pid }

    /// Returns when the child is ready.
    /// - Parameter environment: additional variables.
    init(data: String, listen: String, environment: [String: String] = [:]) throws {
        let ends = try ChildProgram.pipe()
        defer { close(ends.reader) }
        do {
            // The child alone has the writing end, so that its end is the end of the line.
            defer { close(ends.writer) }
            self.program = try ChildProgram(
                try Self.binary(), ["serve", "--data", data, "--listen", listen, "--exit-with-parent"],
                environment: ProcessInfo.processInfo.environment.merging(environment) { $1 }, output: .descriptor(ends.writer),
                errors: .inherited)
        }
        guard let url = (try? JSONParser.parse(ChildProgram.line(from: ends.reader)))?["url"]?.string else { throw NotStarted() }
        self.url = url
    }

    /// The server's binary, which is built into the same folder.
    private static func binary() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().appending(path: "spark").path
    }

    /// Sends a signal to the child and waits for its end.
    func end(_ signal: Int32) {
        program.signal(signal)
        _ = program.wait()
    }

    struct NotStarted: Error {}
}

/// The resource usage of a process, from the kernel.
struct ProcessCosts {
    let pid: pid_t

    /// The process's memory in bytes: anonymous, resident, and the peak of resident memory.
    var memory: (anonymous: Int, resident: Int, peak: Int) {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        func bytes(_ key: String) -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
            return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
        }
        return (bytes("RssAnon"), bytes("VmRSS"), bytes("VmHWM"))
    }

    /// The processor time used so far, in seconds.
    var processorSeconds: Double {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
