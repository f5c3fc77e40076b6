public import SparkCore
import Synchronization

/// Decides who may use what is scarce: one ledger for the whole server, asked from any thread.
public final class Admission: Sendable {
    fileprivate struct State {
        var ledger: AdmissionLedger
        /// By resource and scope.
        var refusals = Array(
            repeating: Array(repeating: 0, count: AdmissionScope.allCases.count), count: AdmissionResource.allCases.count)
        var slow: [DataDirection: Int] = [:]
    }

    fileprivate struct Connections {
        var ledger: ConnectionLedger
        var bodies: BodyLedger
        var shed: [AdmissionResource: Int] = [:]
        /// How a connection is told that it must go.
        var handles: [ConnectionKey: @Sendable (AdmissionResource) -> Void] = [:]
    }

    private let state: Mutex<State>
    private let pacing = Mutex(RefusalPacing())
    private let connections: Mutex<Connections>
    private let clock: any WallClock
    public let limits: AdmissionLimits

    public init(limits: AdmissionLimits, clock: any WallClock) {
        self.limits = limits
        self.state = Mutex(State(ledger: AdmissionLedger(limits)))
        self.connections = Mutex(
            Connections(ledger: ConnectionLedger(limits[.connections]), bodies: BodyLedger(limits[.bodies])))
        self.clock = clock
    }

    /// Takes an amount of a resource for as long as the permit lives.
    /// - Throws: `AdmissionRefused`: 503 when the server as a whole is full, 429 when the network or the person has enough.
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

    /// Lets a connection in, in place of another one if need be.
    /// - Parameters:
    ///   - network: the peer as limits count it; nil for trusted proxies.
    ///   - now: nanoseconds of a clock that only goes forward.
    ///   - onShed: called once, from any thread, when the connection has to make room; the connection counts no more then.
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
            connections.handles[key] = nil
        }
    }

    fileprivate func hold(_ bytes: Int, of key: ConnectionKey, from network: String?) throws {
        let (refused, shed) = connections.withLock { connections -> (AdmissionScope?, [Shed]) in
            // A connection that has to go holds nothing more.
            guard connections.ledger.holds(key) else { return (nil, []) }
            switch connections.bodies.add(bytes, to: key, from: network) {
            case .admitted(let shed): return (nil, shed.compactMap { connections.takeOut($0, for: .bodies) })
            case .refused(let scope, let shed): return (scope, shed.compactMap { connections.takeOut($0, for: .bodies) })
            }
        }
        for shed in shed { shed(.bodies) }
        if let refused { throw refusal(.bodies, refused) }
    }

    fileprivate func refused(_ network: String, at now: UInt64) -> UInt64 { pacing.withLock { $0.refused(network, at: now) } }

    fileprivate func releaseBody(of key: ConnectionKey) { connections.withLock { $0.bodies.end(key) } }

    /// How much of a resource is in use.
    public func used(_ resource: AdmissionResource) -> Int {
        let counted = state.withLock { $0.ledger.used(resource) }
        switch resource {
        case .connections: return counted + connections.withLock { $0.ledger.used }
        case .bodies: return counted + connections.withLock { $0.bodies.used }
        default: return counted
        }
    }

    /// How often a bound has refused since the start.
    public func refusals(of resource: AdmissionResource, by scope: AdmissionScope) -> Int {
        state.withLock { $0.refusals[resource.index][AdmissionScope.allCases.firstIndex(of: scope) ?? 0] }
    }

    /// How many connections had to go since the start, to make room for others or for their bodies.
    public func sheddings(for resource: AdmissionResource) -> Int { connections.withLock { $0.shed[resource] ?? 0 } }

    /// Counts a connection that was cut because its bytes moved too slowly.
    public func noteSlow(_ direction: DataDirection) { state.withLock { $0.slow[direction, default: 0] += 1 } }

    /// How many connections were cut since the start because their bytes moved too slowly.
    public func slowConnections(_ direction: DataDirection) -> Int { state.withLock { $0.slow[direction] ?? 0 } }

    private func refusal(_ resource: AdmissionResource, _ scope: AdmissionScope) -> AdmissionRefused {
        state.withLock { $0.refusals[resource.index][AdmissionScope.allCases.firstIndex(of: scope) ?? 0] += 1 }
        return AdmissionRefused(resource: resource, scope: scope, limit: limits[resource][scope])
    }

    private typealias Shed = @Sendable (AdmissionResource) -> Void
    private struct Refused: Error { let scope: AdmissionScope }
}

extension Admission.Connections {
    /// Forgets a connection that has to go.
    /// - Returns: how it is told.
    fileprivate mutating func takeOut(
        _ key: ConnectionKey, for resource: AdmissionResource
    ) -> (@Sendable (AdmissionResource) -> Void)? {
        ledger.close(key)
        bodies.end(key)
        shed[resource, default: 0] += 1
        return handles.removeValue(forKey: key)
    }
}

/// A connection that was let in. Counted until `end`, at the latest until nobody holds it any more.
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

    /// Notes what the connection does from now on.
    public func move(to phase: ConnectionPhase) { admission.move(key, to: phase) }

    /// Counts further bytes of the body that it receives.
    /// - Parameter network: the client's: behind a trusted proxy, who is forwarded.
    /// - Throws: `AdmissionRefused`; what was counted before still is.
    public func hold(_ bytes: Int, from network: String?) throws { try admission.hold(bytes, of: key, from: network) }

    /// Notes that a request on the connection was answered 429.
    /// - Parameter now: nanoseconds of a clock that only goes forward.
    /// - Returns: for how many nanoseconds nothing is read from it; 0 for trusted proxies, whose connections others share.
    public func refused(at now: UInt64) -> UInt64 { network.map { admission.refused($0, at: now) } ?? 0 }

    /// How fast bytes must move over this connection. A trusted proxy's clients are its own business.
    public var rates: (body: DataRate, answer: DataRate) {
        network == nil ? (.unbounded, .unbounded) : (admission.limits.bodyRate, admission.limits.answerRate)
    }

    /// Counts that the connection was cut because its bytes moved too slowly.
    public func noteSlow(_ direction: DataDirection) { admission.noteSlow(direction) }

    /// The body is answered, or given up.
    public func releaseBody() { admission.releaseBody(of: key) }

    /// The connection is closed; a second time does nothing.
    public func end() { admission.close(key) }
}

/// An admitted amount of a resource. Given back by `end`, at the latest when nobody holds the permit any more.
public final class AdmissionPermit: Sendable {
    private let release: @Sendable () -> Void
    private let isOver = Atomic(false)

    init(release: @escaping @Sendable () -> Void) { self.release = release }

    deinit { end() }

    /// Gives the amount back; a second time does nothing.
    public func end() {
        if !isOver.exchange(true, ordering: .acquiringAndReleasing) { release() }
    }
}

/// The answer to a client for whom there is no room.
public struct AdmissionRefused: ClientError, Hashable {
    public let resource: AdmissionResource
    public let scope: AdmissionScope
    /// The bound that refused.
    public let limit: Int?

    public init(resource: AdmissionResource, scope: AdmissionScope, limit: Int? = nil) {
        self.resource = resource
        self.scope = scope
        self.limit = limit
    }

    /// `admission.<resource>`.
    public var code: String { "admission.\(resource.rawValue)" }
    public var status: Int { scope == .total ? 503 : 429 }
    public var detail: String {
        switch scope {
        case .total: "The server has no room for more \(noun) at the moment\(bound)."
        case .network: "This network has as many \(noun) as it may\(bound)."
        case .person: "You have as many \(noun) as you may\(bound)."
        case .day: "You have had as many \(noun) today as you may\(bound)."
        }
    }
    public var isTemporary: Bool { true }
    public var retryAfter: Duration? { scope == .day ? .seconds(3_600) : .seconds(2) }

    private var bound: String { limit.map { " (limit: \($0))" } ?? "" }

    private var noun: String {
        switch resource {
        case .connections: "open connections"
        case .requests: "requests under way"
        case .bodies: "bytes of unanswered bodies"
        case .hashing: "password checks under way"
        case .exports: "exports"
        case .searches: "searches under way"
        case .streams: "streams"
        }
    }
}
