import SparkKit
import SparkStorage
import Synchronization

/// The health report of a server that has no data yet: the process answers, and is not ready.
final class StartProgress: Sendable {
    private let step = Mutex<MigrationProgress?>(nil)

    func note(_ step: MigrationProgress) { self.step.withLock { $0 = step } }

    var routes: [Route] {
        [
            .liveness,
            .readiness(retryAfter: "2") { [self] in
                let current = step.withLock { $0 }
                return [("server", "starting"), ("database", current.map(Self.text(of:)) ?? "opening")]
            },
        ]
    }

    static func text(of step: MigrationProgress) -> String {
        switch step {
        case .copying: "migrating: keeping a copy"
        case .step(let id, let number, let count): "migrating: step \(number) of \(count), \(id)"
        }
    }
}
