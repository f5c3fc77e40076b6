public import SparkCore
import Synchronization

/// Limits the use of scarce resources. The server has one instance; every method is callable from any thread and does not
/// suspend.
public final class Admission: Sendable {
    fileprivate struct State {
        var ledger: AdmissionLedger
        /// Refusals by resource and scope.
        var refusals = Array(
            repeating: Array(repeating: 0, count: AdmissionScope.allCases.count), count: AdmissionResource.allCases.count)
        var slow: [DataDirection: Int] = [:]
    }

    fileprivate struct Connections {
        var ledger: ConnectionLedger
        var bodies: BodyLedger
        var answers: AnswerLedger
        var shed: [AdmissionResource: Int] = [:]
        /// The closures that tell a connection to close.
        var handles: [ConnectionKey: @Sendable (AdmissionResource) -> Void] = [:]
    }

    private let state: Mutex<State>
    private let pacing = Mutex(RefusalPacing())
    private let connections: Mutex<Connections>
    private let clock: any WallClock
    /// The limits in force.
    public let limits: AdmissionLimits

    /// Starts with nothing in use.
    public init(limits: AdmissionLimits, clock: any WallClock) {
        self.limits = limits
        self.state = Mutex(State(ledger: AdmissionLedger(limits)))
        self.connections = Mutex(
            Connections(
                ledger: ConnectionLedger(limits[.connections]), bodies: BodyLedger(limits[.bodies]),
                answers: AnswerLedger(limit: limits[.answers].total)))
        self.clock = clock
    }

    /// Takes an amount of a resource until the permit ends.
    /// - Parameters:
    ///   - amount: In the resource's unit; 1 by default.
    ///   - network: The client as limits count it; nil for trusted proxies and calls inside the process.
    ///   - person: The signed-in user, if any.
    /// - Throws: `AdmissionRefused`: 503 if the whole server is full, 429 if the network or the person is at its limit.
    public func permit(
        for resource: AdmissionResource, amount: Int = 1, network: String? = nil, person: UserID? = nil
    ) throws -> AdmissionPermit {
        let claimant = AdmissionClaimant(network: network, person: person)
        let now = clock.now()
        if let scope = state.withLock({ $0.ledger.admit(resource, amount, for: claimant, at: now) }) {
            throw refusal(resource, scope)
        }
        return AdmissionPermit { [self] in state.withLock { $0.ledger.release(resource, amount, for: claimant) } }
    }

    /// Admits a connection, if necessary in place of another one.
    /// - Parameters:
    ///   - network: The peer as limits count it; nil for trusted proxies.
    ///   - now: Nanoseconds of a monotonic clock.
    ///   - onShed: Called once, from any thread, when the connection must close to make room. The connection then no longer
    ///     counts.
    /// - Throws: `AdmissionRefused`.
    public func connect(
        from network: String?, at now: UInt64, onShed: @escaping @Sendable (AdmissionResource) -> Void
    ) throws -> AdmittedConnection {
        let result = connections.withLock { connections -> Result<(ConnectionKey, Shed?), Refused> in
            switch connections.ledger.open(from: network, at: now) {
            case .refused(let scope): return .failure(Refused(scope: scope))
            case .admitted(let key, let shed):
                connections.handles[key] = onShed
                return .success((key, shed.flatMap { connections.takeOut($0, for: .connections) }))
            }
        }
        switch result {
        case .failure(let refused): throw refusal(.connections, refused.scope)
        case .success((let key, let shed)):
            shed?(.connections)
            return AdmittedConnection(key: key, network: network, admission: self)
        }
    }

    fileprivate func move(_ key: ConnectionKey, to phase: ConnectionPhase) {
        connections.withLock { $0.ledger.move(key, to: phase) }
    }

    fileprivate func close(_ key: ConnectionKey) {
        connections.withLock { connections in
            connections.ledger.close(key)
            connections.bodies.end(key)
            connections.answers.end(key)
            connections.handles[key] = nil
        }
    }

    fileprivate func hold(_ bytes: Int, of key: ConnectionKey, from network: String?) throws {
        let (refused, shed) = connections.withLock { connections -> (AdmissionScope?, [Shed]) in
            // A connection that must close holds no more bytes.
            guard connections.ledger.holds(key) else { return (nil, []) }
            switch connections.bodies.add(bytes, to: key, from: network) {
            case .admitted(let shed): return (nil, shed.compactMap { connections.takeOut($0, for: .bodies) })
            case .refused(let scope, let shed): return (scope, shed.compactMap { connections.takeOut($0, for: .bodies) })
            }
        }
        for shed in shed { shed(.bodies) }
        if let refused { throw refusal(.bodies, refused) }
    }

    fileprivate func setWaiting(_ bytes: Int, of key: ConnectionKey, from network: String?, hasMoved: Bool) {
        let shed = connections.withLock { connections -> [Shed] in
            guard connections.ledger.holds(key) else { return [] }
            return connections.answers.set(bytes, of: key, from: network, hasMoved: hasMoved)
                .compactMap { connections.takeOut($0, for: .answers) }
        }
        for shed in shed { shed(.answers) }
    }

    fileprivate func refused(_ network: String, at now: UInt64) -> UInt64 { pacing.withLock { $0.refused(network, at: now) } }

    fileprivate func releaseBody(of key: ConnectionKey) { connections.withLock { $0.bodies.end(key) } }

    /// The amount of a resource that is in use.
    public func used(_ resource: AdmissionResource) -> Int {
        let counted = state.withLock { $0.ledger.used(resource) }
        switch resource {
        case .connections: return counted + connections.withLock { $0.ledger.used }
        case .bodies: return counted + connections.withLock { $0.bodies.used }
        case .answers: return counted + connections.withLock { $0.answers.used }
        default: return counted
        }
    }

    /// How often a limit has refused since the server started.
    public func refusals(of resource: AdmissionResource, by scope: AdmissionScope) -> Int {
        state.withLock { $0.refusals[resource.index][AdmissionScope.allCases.firstIndex(of: scope) ?? 0] }
    }

    /// How many connections were closed since the server started, to make room for other connections, bodies or answers.
    public func sheddings(for resource: AdmissionResource) -> Int { connections.withLock { $0.shed[resource] ?? 0 } }

    /// Counts a connection that was closed because its bytes moved too slowly.
    public func noteSlow(_ direction: DataDirection) { state.withLock { $0.slow[direction, default: 0] += 1 } }

    /// How many connections were closed since the server started because their bytes moved too slowly.
    public func slowConnections(_ direction: DataDirection) -> Int { state.withLock { $0.slow[direction] ?? 0 } }

    private func refusal(_ resource: AdmissionResource, _ scope: AdmissionScope) -> AdmissionRefused {
        state.withLock { $0.refusals[resource.index][AdmissionScope.allCases.firstIndex(of: scope) ?? 0] += 1 }
        return AdmissionRefused(resource: resource, scope: scope, limit: limits[resource][scope])
    }

    private typealias Shed = @Sendable (AdmissionResource) -> Void
    private struct Refused: Error { let scope: AdmissionScope }
}

extension Admission.Connections {
    /// Forgets a connection that must close.
    /// - Returns: The closure that tells it to close.
    fileprivate mutating func takeOut(
        _ key: ConnectionKey, for resource: AdmissionResource
    ) -> (@Sendable (AdmissionResource) -> Void)? {
        ledger.close(key)
        bodies.end(key)
        answers.end(key)
        shed[resource, default: 0] += 1
        return handles.removeValue(forKey: key)
    }
}

/// An admitted connection. It counts until `end`, or until the last reference to it goes away.
public final class AdmittedConnection: Sendable {
    private let key: ConnectionKey
    private let admission: Admission
    /// The peer as limits count it; nil for a trusted proxy.
    public let network: String?

    fileprivate init(key: ConnectionKey, network: String?, admission: Admission) {
        self.key = key
        self.network = network
        self.admission = admission
    }

    deinit { end() }

    /// Sets the connection's current phase.
    public func move(to phase: ConnectionPhase) { admission.move(key, to: phase) }

    /// Counts more bytes of the body that the connection receives.
    /// - Parameter network: The client's network; behind a trusted proxy, that of the forwarded client.
    /// - Throws: `AdmissionRefused`. Bytes that were counted before still count.
    public func hold(_ bytes: Int, from network: String?) throws { try admission.hold(bytes, of: key, from: network) }

    /// Notes that a request on the connection was answered with 429.
    /// - Parameter now: Nanoseconds of a monotonic clock.
    /// - Returns: For how many nanoseconds the server stops reading from the connection; 0 for trusted proxies, whose
    ///   connections carry other clients too.
    public func refused(at now: UInt64) -> UInt64 { network.map { admission.refused($0, at: now) } ?? 0 }

    /// Sets how many bytes of answers wait for the client. When there are too many on the server, connections must close, perhaps
    /// this one.
    /// - Parameters:
    ///   - bytes: 0 when none wait.
    ///   - network: The client's network; behind a trusted proxy, that of the forwarded client.
    ///   - hasMoved: Whether the client has taken bytes since the last call.
    public func setWaiting(_ bytes: Int, from network: String?, hasMoved: Bool) {
        admission.setWaiting(bytes, of: key, from: network, hasMoved: hasMoved)
    }

    /// How fast bytes must move on this connection. For a trusted proxy there is no lowest rate.
    public var rates: (body: DataRate, answer: AnswerRule) {
        let limits = admission.limits
        return network == nil
            ? (.unbounded, AnswerRule(rate: .unbounded, longestPause: limits.answerRule.longestPause))
            : (limits.bodyRate, limits.answerRule)
    }

    /// Counts that the connection was closed because its bytes moved too slowly.
    public func noteSlow(_ direction: DataDirection) { admission.noteSlow(direction) }

    /// Releases the bytes of the body: it was answered or abandoned.
    public func releaseBody() { admission.releaseBody(of: key) }

    /// Releases the connection. A second call does nothing.
    public func end() { admission.close(key) }
}

/// An admitted amount of a resource. `end` gives it back; so does the release of the last reference.
public final class AdmissionPermit: Sendable {
    private let release: @Sendable () -> Void
    private let isOver = Atomic(false)

    init(release: @escaping @Sendable () -> Void) { self.release = release }

    deinit { end() }

    /// Gives the amount back. A second call does nothing.
    public func end() {
        if !isOver.exchange(true, ordering: .acquiringAndReleasing) { release() }
    }
}

/// The error for a client whose request exceeds a limit.
public struct AdmissionRefused: ClientError, Hashable {
    /// The resource that is exhausted.
    public let resource: AdmissionResource
    /// The limit that refused: the whole server's, the network's, the person's or the day's.
    public let scope: AdmissionScope
    /// The value of that limit; nil if it is unknown.
    public let limit: Int?

    /// Creates a refusal.
    public init(resource: AdmissionResource, scope: AdmissionScope, limit: Int? = nil) {
        self.resource = resource
        self.scope = scope
        self.limit = limit
    }

    /// `admission.<resource>`.
    public var code: String { "admission.\(resource.rawValue)" }
    /// 503 if the whole server is full, otherwise 429.
    public var status: Int { scope == .total ? 503 : 429 }
    /// One sentence for the client, with the limit's value.
    public var detail: String {
        switch scope {
        case .total: "The server has no room for more \(noun) at the moment\(bound)."
        case .network: "This network has as many \(noun) as it may\(bound)."
        case .person: "You have as many \(noun) as you may\(bound)."
        case .day: "You have had as many \(noun) today as you may\(bound)."
        }
    }
    /// Always true.
    public var isTemporary: Bool { true }
    /// An hour for a daily limit, otherwise two seconds.
    public var retryAfter: Duration? { scope == .day ? .seconds(3_600) : .seconds(2) }

    private var bound: String { limit.map { " (limit: \($0))" } ?? "" }

    private var noun: String {
        switch resource {
        case .connections: "open connections"
        case .requests: "requests under way"
        case .bodies: "bytes of unanswered bodies"
        case .answers: "bytes of answers that wait"
        case .hashing: "password checks under way"
        case .exports: "exports"
        case .searches: "searches under way"
        case .streams: "streams"
        }
    }
}
