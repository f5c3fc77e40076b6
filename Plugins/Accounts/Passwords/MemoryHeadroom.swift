import Foundation

/// How much memory the process may still take before the control group it runs in kills it.
///
/// Linux control groups, version 2: `memory.max` of the group and of those around it, less what cannot be reclaimed.
struct MemoryHeadroom: Sendable {
    /// Left to everything else beside what is asked for.
    static let reserve = 16 << 20

    private let groups: [String]

    /// The group of this process and those around it, up to the root.
    init() {
        guard let text = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else {
            self.init(groups: [])
            return
        }
        var components = line.dropFirst(3).split(separator: "/").map(String.init)
        var groups: [String] = []
        while true {
            groups.append((["/sys/fs/cgroup"] + components).joined(separator: "/"))
            guard components.popLast() != nil else { break }
        }
        self.init(groups: groups.filter { FileManager.default.fileExists(atPath: "\($0)/memory.max") })
    }

    /// - Parameter groups: folders that hold `memory.max` and `memory.stat`.
    init(groups: [String]) { self.groups = groups }

    /// Whether so much more can be taken. Reads a few small files; true where nothing is known.
    func allows(_ bytes: Int) -> Bool {
        groups.allSatisfy { group in
            guard let limit = number(in: "\(group)/memory.max"), let used = used(in: group) else { return true }
            let (needed, overflow) = used.addingReportingOverflow(bytes + Self.reserve)
            return !overflow && needed <= limit
        }
    }

    /// Nil for `max`.
    private func number(in path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8))
            .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// What the kernel cannot take back under pressure: pages of files it can.
    private func used(in group: String) -> Int? {
        guard let text = try? String(contentsOfFile: "\(group)/memory.stat", encoding: .utf8) else { return nil }
        var sum = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, ["anon", "kernel", "shmem", "sock"].contains(words[0]), let value = Int(words[1]) else {
                continue
            }
            sum = sum.addingReportingOverflow(value).partialValue
        }
        return sum
    }
}
