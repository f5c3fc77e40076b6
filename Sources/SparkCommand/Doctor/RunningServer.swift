import Foundation
import Spark
import SparkClient
import SparkHTTP

/// The server that runs on a data directory, as `spark doctor` finds it.
struct RunningServer {
    /// Its public address; nil when none answers.
    private(set) var url: String?
    private(set) var operatorURL: String?
    /// How many files it may open; nil when that cannot be read.
    private(set) var descriptors: Int?
    /// The file systems as it sees them; nil when that cannot be read.
    private(set) var mounts: MountTable?
    /// Whether the directory names a server that does not answer.
    private var isSilent = false

    static func find(_ common: CommonOptions, patience: Duration) async -> RunningServer {
        var found = RunningServer()
        guard let file = try? common.portFile().content, let url = file["url"]?.string else { return found }
        let answer = try? await SparkClient(ofThisMachine: url, timeout: patience).send("GET", "/healthz", body: nil)
        guard answer?.status == 200 else {
            found.isSilent = true
            return found
        }
        found.url = url
        found.operatorURL = file["operator_url"]?.string
        let process = file["pid"]?.integer
        found.descriptors = process.flatMap { limit(of: $0) }
        found.mounts = process.flatMap { try? String(contentsOfFile: "/proc/\($0)/mountinfo", encoding: .utf8) }.map {
            MountTable($0)
        }
        return found
    }

    /// What the server says about one of its parts in `/readyz?verbose`; nil if none answers.
    func note(of part: String, patience: Duration) async -> String? {
        guard let url,
            let answer = try? await SparkClient(url: url, timeout: patience).send("GET", "/readyz?verbose", body: nil)
        else { return nil }
        return (try? JSONParser.parse(Array(answer.body)))?["notes"]?[part]?.string
    }

    func row(_ directory: String) -> DoctorRow {
        let check = "server"
        if let url { return .ok(check, "one runs on this directory, at \(url)") }
        if isSilent {
            return .warning(
                check, "spark.port.json names a server that does not answer",
                "if no server runs, the last one was killed, and the next start removes the file; otherwise look at its log")
        }
        return .ok(check, "none runs on this directory")
    }

    /// The soft limit of open files in /proc/PID/limits.
    private static func limit(of process: Int64) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.dropFirst("Max open files".count).split(separator: " ").first.flatMap { Int($0) }
    }

    /// The host and the port of a server's URL.
    static func address(of url: String) -> ListenAddress? {
        guard let parts = URL(string: url), let host = parts.host(), let port = parts.port else { return nil }
        return ListenAddress(host: host.trimmingCharacters(in: ["[", "]"]), port: port)
    }
}
