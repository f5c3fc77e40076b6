import Foundation
import SparkCore

/// Runs `spark serve`, from the binary beside this one, as a child process. Uses `posix_spawn` instead of Foundation, which lists all open
/// descriptors at each start: a load test has ten thousand.
final class ServerChild {
    let pid: pid_t
    let url: String

    /// Returns when the child is ready.
    /// - Parameter environment: additional variables.
    init(data: String, listen: String, environment: [String: String] = [:]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw NotStarted() }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let executable = try Self.binary()
        let words = [executable, "serve", "--data", data, "--listen", listen, "--exit-with-parent"]
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var arguments = words.map { strdup($0) } + [nil]
        var settings = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + settings { free(text) } }
        var pid = pid_t()
        guard posix_spawn(&pid, executable, &actions, nil, &arguments, &settings) == 0 else { throw NotStarted() }
        self.pid = pid
        self.url = try Self.readyURL(ends[0])
    }

    /// The server's binary, which is built into the same folder.
    private static func binary() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().appending(path: "spark").path
    }

    private static func readyURL(_ descriptor: Int32) throws -> String {
        defer { close(descriptor) }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard let url = (try? JSONParser.parse(line))?["url"]?.string else { throw NotStarted() }
        return url
    }

    /// Sends a signal to the child and waits for its end.
    func end(_ signal: Int32) {
        kill(pid, signal)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
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
