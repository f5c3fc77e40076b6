import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// The health report of a server that has no data yet: the process answers, and is not ready.
final class StartProgress: Sendable {
    private let step = Mutex<MigrationProgress?>(nil)

    func note(_ step: MigrationProgress) { self.step.withLock { $0 = step } }

    var routes: [Route] {
        [
            Route(.get, "/healthz", "Whether the process answers", access: .open, rateLimit: .probe) { _ in
                Reply(json: Array(#"{"status":"ok"}"#.utf8))
            },
            Route(.get, "/readyz", "Whether the server can do its work", access: .open, rateLimit: .probe) { [self] _ in
                let current = self.step.withLock { $0 }
                var writer = JSONWriter()
                writer.object { writer in
                    writer.field("status", "unavailable")
                    writer.key("checks")
                    writer.object { writer in
                        writer.field("server", "starting")
                        writer.field("database", current.map(Self.text(of:)) ?? "opening")
                    }
                }
                return Reply(.serviceUnavailable, headers: [.retryAfter: "2"], json: writer.bytes)
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
