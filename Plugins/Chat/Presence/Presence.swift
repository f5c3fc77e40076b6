import Logging
import SparkCore
import SparkKit
import Synchronization

/// Tells clients when the people that they watch come online or go offline.
final class Presence: Sendable {
    private static let interval = Duration.seconds(1)

    private struct State {
        var board = PresenceBoard()
        var connections: [UInt64: any StreamConnection] = [:]
    }

    private let profiles: any ProfileReading
    private let store: any ChatStore
    private let clock: any WallClock
    private let logger: Logger
    private let state = Mutex(State())

    init(profiles: any ProfileReading, store: any ChatStore, clock: any WallClock, logger: Logger) {
        self.profiles = profiles
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Replaces the people that a connection watches, and sends the state of each at once. A person who is hidden or is no match
    /// of the viewer is reported as offline.
    func watch(_ targets: [UserID], on connection: any StreamConnection) async throws {
        guard state.withLock({ $0.board.watch(targets, on: connection.id) }) else { return }
        for target in targets {
            let mayKnow = try await mayKnow(target, connection.principal.user)
            tell(target, to: connection.id, mayKnow: mayKnow)
        }
    }

    /// Checks a user's state again at the next pass, because what others may know of the user may have changed.
    func touch(_ user: UserID) { state.withLock { $0.board.touch(user) } }

    /// Ends the watching between two users who are no longer matched.
    func part(_ users: [UserID]) { state.withLock { $0.board.part(users) } }

    /// Sends the changes since the last pass.
    func pass() async throws {
        let now = clock.now()
        var failure: (any Error)?
        for (target, watchers) in state.withLock({ $0.board.pass(at: now) }) {
            do {
                for watcher in watchers {
                    tell(target, to: watcher.connection, mayKnow: try await mayKnow(target, watcher.user))
                }
            } catch {
                // The next pass tries again.
                touch(target)
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// When the next pass has something to send; nil if nothing waits.
    var nextPass: Timestamp? { state.withLock { $0.board.nextChange } }

    /// The sizes of the board, and the number of connections.
    var sizes: [Int] { state.withLock { $0.board.sizes + [$0.connections.count] } }

    private func tell(_ target: UserID, to connection: UInt64, mayKnow: Bool) {
        // Sends under the lock, so that of two concurrent reports the later state is sent last. Sending a frame never blocks.
        state.withLock { state in
            guard let isOnline = state.board.tell(target, to: connection, mayKnow: mayKnow) else { return }
            state.connections[connection]?.send(ChatServerFrames.presence(target, isOnline: isOnline))
        }
    }

    private func mayKnow(_ target: UserID, _ watcher: UserID) async throws -> Bool {
        guard try await store.conversation(between: watcher, and: target) != nil,
            let profile = try await profiles.profile(of: target), !profile.isClosed
        else { return false }
        return !profile.visibility.isPaused && !profile.visibility.isIncognito
    }
}

extension Presence {
    /// A restored snapshot begins without connections, so nobody is online.
    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in state.withLock { $0 = State() } }
    }
}

extension Presence: ConnectionObserving {
    func connected(_ connection: any StreamConnection, isBackground: Bool) {
        let now = clock.now()
        state.withLock { state in
            state.connections[connection.id] = connection
            state.board.connected(connection.id, of: connection.principal.user, isBackground: isBackground, at: now)
        }
    }

    func disconnected(_ connection: any StreamConnection, wasLast: Bool) {
        let now = clock.now()
        state.withLock { state in
            state.connections[connection.id] = nil
            state.board.disconnected(connection.id, at: now)
        }
    }
}

extension Presence {
    /// Runs a pass once a second, so that a user who leaves and returns within a second is reported once.
    var work: TimedWork {
        .dated("chat.presence", every: Self.interval, startsAtOnce: false, nextDue: { self.nextPass }) {
            do {
                try await self.pass()
            } catch {
                self.logger.warning("presence not sent", metadata: ["error": "\(type(of: error))"])
            }
        }
    }
}
