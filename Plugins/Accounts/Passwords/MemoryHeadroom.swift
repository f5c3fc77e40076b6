import Foundation

/// How much more memory the process can take before its control group kills it.
///
/// Reads Linux control groups of both versions: the limits of the group and its ancestors, minus unreclaimable memory.
struct MemoryHeadroom: Sendable {
    /// The kernel's folder with the numbers of one group.
    struct Group: Sendable {
        enum Version: Sendable { case one, two }

        let folder: String
        let version: Version

        var limitFile: String { folder + (version == .two ? "/memory.max" : "/memory.limit_in_bytes") }
        var statisticsFile: String { "\(folder)/memory.stat" }

        /// The statistics of memory that the kernel cannot reclaim under pressure, unlike pages of files.
        var firmKeys: Set<Substring> {
            version == .two ? ["anon", "kernel", "shmem", "sock"] : ["total_rss", "total_shmem"]
        }
    }

    /// Bytes left for the rest of the process.
    static let reserve = 16 << 20

    private let groups: [Group]

    /// Finds the group of this process and its ancestors, up to the root.
    init() {
        var groups: [Group] = []
        let text = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty {
                groups += Self.chain(from: fields[2], under: "/sys/fs/cgroup", .two)
            } else if fields[1].split(separator: ",").contains("memory") {
                groups += Self.chain(from: fields[2], under: "/sys/fs/cgroup/memory", .one)
            }
        }
        self.init(groups: groups.filter { FileManager.default.fileExists(atPath: $0.limitFile) })
    }

    init(groups: [Group]) { self.groups = groups }

    private static func chain(from path: Substring, under root: String, _ version: Group.Version) -> [Group] {
        var components = path.split(separator: "/").map(String.init)
        var groups = [Group(folder: root, version: version)]
        while !components.isEmpty {
            groups.append(Group(folder: ([root] + components).joined(separator: "/"), version: version))
            components.removeLast()
        }
        return groups
    }

    /// Whether this many bytes can be taken. Reads a few small files; true if nothing is known.
    func allows(_ bytes: Int) -> Bool {
        groups.allSatisfy { group in
            guard let limit = limit(of: group), let used = used(in: group) else { return true }
            let (needed, overflow) = used.addingReportingOverflow(bytes + Self.reserve)
            return !overflow && needed <= limit
        }
    }

    /// Nil for a group without a limit.
    private func limit(of group: Group) -> Int? {
        (try? String(contentsOfFile: group.limitFile, encoding: .utf8))
            .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private func used(in group: Group) -> Int? {
        guard let text = try? String(contentsOfFile: group.statisticsFile, encoding: .utf8) else { return nil }
        let keys = group.firmKeys
        var sum = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, keys.contains(words[0]), let value = Int(words[1]) else { continue }
            sum = sum.addingReportingOverflow(value).partialValue
        }
        return sum
    }
}
