import SparkCore
import SparkKit
import Synchronization

/// The users with the app open: their foreground connections.
final class ForegroundUsers: ConnectionObserving, Sendable {
    private final class Shard: Sendable {
        let connections = Mutex<[UserID: Set<UInt64>]>([:])
    }

    private let shards = (0..<16).map { _ in Shard() }

    func isActive(_ user: UserID) -> Bool { shard(of: user).connections.withLock { $0[user] != nil } }

    func connected(_ connection: any StreamConnection, isBackground: Bool) {
        guard !isBackground else { return }
        let (user, id) = (connection.principal.user, connection.id)
        _ = shard(of: user).connections.withLock { $0[user, default: []].insert(id) }
    }

    func disconnected(_ connection: any StreamConnection, wasLast: Bool) {
        let (user, id) = (connection.principal.user, connection.id)
        shard(of: user).connections.withLock { connections in
            connections[user]?.remove(id)
            if connections[user]?.isEmpty == true { connections[user] = nil }
        }
    }

    /// A restored snapshot begins without connections.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            for shard in shards { shard.connections.withLock { $0 = [:] } }
        }
    }

    private func shard(of user: UserID) -> Shard {
        shards[Int(SplitMix64.mix(UInt64(bitPattern: user.rawValue)) & 15)]
    }
}
