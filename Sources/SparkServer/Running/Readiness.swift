import Foundation
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// `/healthz` (the process answers) and `/readyz` (it can work: the database is writable, the disk is not full, the modules are
/// well).
final class Readiness: Sendable {
    /// A check that takes longer has failed.
    private static let deadline = Duration.seconds(2)
    /// Below this many free bytes the disk counts as full.
    private static let minimumFreeBytes: Int64 = 64 * 1_024 * 1_024
    /// How long a result is reused, so that probes do not become a load.
    private static let freshness = Duration.milliseconds(500)

    private struct State {
        var isDraining = false
        var isStarting = false
        var last: (at: ContinuousClock.Instant, report: [(String, String?)])?
    }

    private let storage: SQLiteStorage
    private let directory: URL
    private let checks: [HealthCheck]
    private let notes: [(name: String, text: @Sendable () -> String)]
    private let state = Mutex(State())

    /// - Parameter notes: what operators want to know beside the checks, for `/readyz?verbose`.
    init(
        storage: SQLiteStorage, directory: URL, checks: [HealthCheck], notes: [(name: String, text: @Sendable () -> String)] = []
    ) {
        self.notes = notes
        self.storage = storage
        self.directory = directory
        self.checks = checks
    }

    /// Reports "not ready" until `modulesAreWell` has returned.
    func begin() { state.withLock { $0.isStarting = true } }

    /// Reports "not ready" from now on, because the server is stopping.
    func drain() { state.withLock { $0.isDraining = true } }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Returns when all modules are well, which takes a while when a large server starts, or when the server stops.
    func modulesAreWell() async {
        var pause = Duration.milliseconds(1)
        while !state.withLock({ $0.isDraining }), !Task.isCancelled {
            var isWell = true
            for check in checks where isWell { isWell = await fault(of: check.check) == nil }
            if isWell { break }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(10))
        }
        state.withLock { ($0.last, $0.isStarting) = (nil, false) }
    }

    var routes: [Route] {
        [.liveness, .readiness(notes: { [notes] in notes.map { ($0.name, $0.text()) } }) { [self] in await report() }]
    }

    private func report() async -> [(String, String?)] {
        let kept = state.withLock { state -> [(String, String?)]? in
            if state.isDraining { return [("server", "shutting down")] }
            guard let last = state.last, last.at.duration(to: .now) < Self.freshness else { return nil }
            return last.report
        }
        if let kept { return kept }
        var report: [(String, String?)] = state.withLock { $0.isStarting } ? [("server", "starting")] : []
        report += [("database", await fault(of: writeCheck)), ("disk", diskFault())]
        for check in checks { report.append((check.name, await fault(of: check.check))) }
        state.withLock { $0.last = (.now, report) }
        return report
    }

    private func writeCheck() async throws {
        if let refusal = storage.refusal { throw refusal }
        try await storage.write { _ in }
    }

    private func diskFault() -> String? {
        let values = try? FileManager.default.attributesOfFileSystem(forPath: directory.path)
        guard let free = values?[.systemFreeSize] as? NSNumber else { return nil }
        return free.int64Value < Self.minimumFreeBytes ? "less than 64 MiB are free" : nil
    }

    private func fault(of check: @escaping @Sendable () async throws -> Void) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    try await check()
                    return nil
                } catch {
                    return "failed"
                }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: Self.deadline)
                    return "took too long"
                } catch {
                    return nil
                }
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
