import Logging
import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// Tells those who watch when their matches come and go.
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

    /// Watches some people on a connection instead of those before, and says of each at once how it is. Of those who hide, and of
    /// who is no match, it says what it says of who is away.
    func watch(_ targets: [UserID], on connection: any StreamConnection) async throws {
        guard state.withLock({ $0.board.watch(targets, on: connection.id) }) else { return }
        for target in targets {
            let mayKnow = try await mayKnow(target, connection.principal.user)
            tell(target, to: connection.id, mayKnow: mayKnow)
        }
    }

    /// What others may know of somebody may have changed.
    func touch(_ user: UserID) { state.withLock { $0.board.touch(user) } }

    /// These two are no match any more.
    func part(_ users: [UserID]) { state.withLock { $0.board.part(users) } }

    /// Tells what has come about since the last time.
    func pass() async throws {
        let now = clock.now()
        var failure: (any Error)?
        for (target, watchers) in state.withLock({ $0.board.pass(at: now) }) {
            do {
                for watcher in watchers {
                    tell(target, to: watcher.connection, mayKnow: try await mayKnow(target, watcher.user))
                }
            } catch {
                // What was not told is told the next time.
                touch(target)
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// How many connections, watches and people are remembered.
    var sizes: [Int] { state.withLock { $0.board.sizes + [$0.connections.count] } }

    private func tell(_ target: UserID, to connection: UInt64, mayKnow: Bool) {
        // Sent under the lock: of two that tell, the later one has the last word. A connection takes a frame without waiting.
        state.withLock { state in
            guard let isOnline = state.board.tell(target, to: connection, mayKnow: mayKnow) else { return }
            state.connections[connection]?.send(ChatServerFrames.presence(target, isOnline: isOnline))
        }
    }

    private func mayKnow(_ target: UserID, _ watcher: UserID) async throws -> Bool {
        guard try store.conversation(between: watcher, and: target) != nil,
            let profile = try await profiles.profile(of: target), !profile.isClosed
        else { return false }
        return !profile.visibility.isPaused && !profile.visibility.isIncognito
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

extension Presence: Service {
    /// Once a second, so that what comes and goes within one is told once.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil {
                do {
                    try await self.pass()
                } catch {
                    self.logger.warning("presence not told", metadata: ["error": "\(type(of: error))"])
                }
            }
        }
    }
}
