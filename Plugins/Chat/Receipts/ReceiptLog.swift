import Logging
import SparkCore
import SparkKit
import Synchronization

/// Collects how far each user's devices have received the user's event log: the latest offset in memory, one write a second
/// later.
final class ReceiptLog: Sendable {
    /// The most users that may wait. Offsets of further users are dropped; their next acknowledgement makes up for it.
    private static let capacity = 50_000
    /// The most users in one write, so that other writes do not wait long.
    private static let batch = 200
    private static let interval = Duration.seconds(1)

    private let store: any ChatStore
    private let logger: Logger
    private let waiting = Mutex<[UserID: Int64]>([:])

    init(store: any ChatStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Notes that a device of the user has received everything up to an offset. Never suspends.
    func note(_ offset: Int64, of user: UserID) {
        waiting.withLock { waiting in
            if let old = waiting[user] {
                waiting[user] = max(old, offset)
            } else if waiting.count < Self.capacity {
                waiting[user] = offset
            }
        }
    }

    /// Writes the collected offsets. Best effort: a refused write is dropped, because the user's next acknowledgement covers it.
    func flush() async {
        var rest = waiting.withLock { waiting in
            defer { waiting = [:] }
            return Array(waiting)
        }[...]
        while !rest.isEmpty {
            let batch = Dictionary(rest.prefix(Self.batch).map { ($0.key, $0.value) }, uniquingKeysWith: max)
            rest = rest.dropFirst(Self.batch)
            do {
                for (user, offset) in try await store.received(batch) { note(offset, of: user) }
            } catch {
                logger.warning(
                    "receipts not written", metadata: ["count": .stringConvertible(batch.count), "error": "\(type(of: error))"])
            }
        }
    }
}

extension ReceiptLog {
    /// Makes the offsets that wait part of snapshots.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            waiting.withLock { $0 }
        } restore: { [self] saved in
            waiting.withLock { $0 = saved }
        }
    }

    /// Flushes every second, and once more at graceful shutdown.
    var work: TimedWork {
        .upkeep("chat.receipts", every: Self.interval, startsAtOnce: false) { await self.flush() }
            .finishing { await self.flush() }
    }
}
