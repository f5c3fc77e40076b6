import Foundation
import Glibc
import SparkHTTP
public import SparkKit
import SparkStream

extension AdmissionMachine {
    /// The current limits of this process: descriptors and memory.
    public static func current() -> AdmissionMachine {
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        let descriptors = isKnown ? Int(clamping: min(limit.rlim_cur, 1 << 30)) : 1_024
        return AdmissionMachine(
            descriptors: max(0, descriptors - inherited()), memoryBytes: memory(),
            processors: max(1, ProcessInfo.processInfo.activeProcessorCount))
    }

    /// The number of open descriptors beyond those that every process has: inherited from the parent, or used by the embedding
    /// program.
    private static func inherited() -> Int {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        return max(0, open - usualDescriptors)
    }

    private static let usualDescriptors = 24

    /// The machine's memory in bytes, or the control group's limit if it is lower.
    private static func memory() -> Int {
        var least = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        for path in ["memory.max", "memory.limit_in_bytes"].flatMap(groupFiles) {
            // "max" means no limit.
            guard let text = try? String(contentsOfFile: path, encoding: .utf8),
                let bytes = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), bytes > 0
            else { continue }
            least = min(least, bytes)
        }
        return least
    }

    /// Where the control group of this process may have a file, in either version (cgroups(7)).
    private static func groupFiles(_ name: String) -> [String] {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"]
        let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n") ?? []
        let paths = groups.compactMap { line -> String? in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[1].isEmpty || fields[1].split(separator: ",").contains("memory") else { return nil }
            return fields[2] == "/" ? nil : String(fields[2])
        }
        return roots.flatMap { root in ["\(root)/\(name)"] + paths.flatMap(ancestry).map { "\(root)\($0)/\(name)" } }
    }

    /// A group and the groups around it, whose limits count as well: `/a/b` and `/a`.
    private static func ancestry(_ path: String) -> [String] {
        let parts = path.split(separator: "/")
        return (1...max(1, parts.count)).map { "/" + parts.prefix($0).joined(separator: "/") }
    }
}

extension AdmissionPlan {
    /// The limits of a configuration on a machine.
    public init(_ configuration: LoadedConfiguration, machine: AdmissionMachine, isEphemeral: Bool) {
        let edge: EdgeConfiguration = configuration.section("http")
        let stream: StreamConfiguration = configuration.section("stream")
        var neighbours = Neighbours()
        neighbours.maximumBodyBytes = edge.maximumBodyBytes
        neighbours.streams = stream.connections
        neighbours.streamsPerNetwork = stream.connectionsPerAddress
        neighbours.streamsPerPerson = stream.connectionsPerUser
        neighbours.isGenerous = isEphemeral
        self.init(configuration.section("limits"), machine: machine, neighbours: neighbours)
    }
}

/// The limit of open files and sockets.
package enum OpenFiles {
    /// Raises the limit to the maximum for an unprivileged process.
    package static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
