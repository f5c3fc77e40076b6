package import SparkCore
import Synchronization

/// The places at which a test looks into an ephemeral server and steers it. No other server has them: its hooks are nil.
package final class FixtureHooks: Sendable {
    /// The outbox keeps at most so many items.
    private static let sentCapacity = 4_096
    /// The list of what happened keeps at most so many entries.
    private static let happeningCapacity = 16_384

    private struct Late {
        var server: (any FixtureServing)?
        var identifiers: IdentifierGenerator?
        var states: (any ServerStateKeeping)?
    }

    /// The people with names.
    package let people = FixturePeople()
    /// What goes wrong on request.
    package let faults: FaultBoard
    /// What the server sent to the outside.
    package let outbox = FixtureLog<SentItem>(capacity: sentCapacity)
    /// What happened, in order.
    package let happenings: FixtureLog<Happening>
    /// The server's random numbers.
    package let random: SeedableRandomSource
    /// The server's clock.
    package let clock: any WallClock
    private let late = Mutex(Late())

    /// - Parameters:
    ///   - random: the random numbers until a test gives a seed.
    ///   - clock: the server's clock.
    package init(random: any RandomSource, clock: any WallClock) {
        let happenings = FixtureLog<Happening>(capacity: Self.happeningCapacity)
        self.happenings = happenings
        self.faults = FaultBoard { happenings.append(Happening($0, at: clock.now())) }
        self.random = SeedableRandomSource(random)
        self.clock = clock
    }

    /// The running server; nil while it is made.
    package var server: (any FixtureServing)? { late.withLock { $0.server } }

    /// Notes the server, once it is made.
    package func attach(_ server: any FixtureServing) { late.withLock { $0.server = server } }

    /// Forgets the server, which has ended.
    package func detach() { late.withLock { $0 = Late() } }

    /// Notes what makes the server's identifiers.
    package func attach(_ identifiers: IdentifierGenerator) { late.withLock { $0.identifiers = identifiers } }

    /// The server's snapshots.
    /// - Throws: `FixtureStateError.busy` before the server is ready.
    package var states: any ServerStateKeeping {
        get throws {
            guard let states = late.withLock({ $0.states }) else { throw FixtureStateError.busy }
            return states
        }
    }

    /// Notes the server's snapshots, once the first was taken.
    package func begin(_ states: any ServerStateKeeping) { late.withLock { $0.states = states } }

    /// What a snapshot keeps of the fixture itself. What happened goes on: it is the test's own record.
    package var fixtureStates: [FixtureState] {
        [
            FixtureState(module: "fixture", capture: { self.chance }, restore: { self.resume($0) }),
            FixtureState(module: "fixture", capture: { self.people.position }, restore: { self.people.resume(at: $0) }),
            FixtureState(module: "fixture", capture: { self.faults.all }, restore: { self.faults.replace(with: $0) }),
            FixtureState(module: "fixture", capture: { self.outbox.kept }, restore: { self.outbox.replace(with: $0) }),
        ]
    }

    /// Makes identifiers, tokens and chance repeatable from here.
    package func seed(_ seed: UInt64) {
        random.seed(seed)
        late.withLock { $0.identifiers }?.seed(seed)
    }

    /// Where chance is. A snapshot keeps it, so that the same calls give the same identifiers again after it was restored.
    package var chance: Chance {
        Chance(random: random.position, identifiers: late.withLock { $0.identifiers }?.position)
    }

    /// Goes on from a place of chance. The rows that were made since must be gone.
    package func resume(_ chance: Chance) {
        random.resume(at: chance.random)
        if let position = chance.identifiers { late.withLock { $0.identifiers }?.resume(at: position) }
    }

    /// A place of chance.
    package struct Chance: Sendable {
        fileprivate let random: SeedableRandomSource.Position
        fileprivate let identifiers: IdentifierGenerator.Position?
    }

    /// Notes frames for people.
    package func note(_ deliveries: [StreamDelivery]) {
        let now = clock.now()
        for delivery in deliveries { if let happening = Happening(delivery, at: now) { happenings.append(happening) } }
    }

    /// Notes a committed event.
    package func note(_ event: any SparkEvent) { happenings.append(Happening(event, at: clock.now())) }

    /// Ends all waiting, because the server stops.
    package func close() {
        outbox.close()
        happenings.close()
    }
}

/// The running server, for the routes of the fixture.
package protocol FixtureServing: Sendable {
    /// Answers a request to the public API as if a client had sent it.
    /// - Parameters:
    ///   - path: the whole path with its query.
    ///   - token: an access token.
    ///   - body: its JSON.
    func call(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> Reply
    /// Carries out several calls as one request: the state is captured and replaced before or after all of them.
    func asOne<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value
    /// A port that some module provides; nil if none does.
    func port<Port>(_ type: Port.Type) -> Port?
    /// Cuts a person's sockets without a close frame, and ends the person's event streams and polls.
    /// - Returns: whether there were any.
    func cutStreams(of user: UserID) -> Bool
}
