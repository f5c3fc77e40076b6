public import SparkCore
import Synchronization

/// Decides who may use what is scarce: one ledger for the whole server, asked from any thread.
public final class Admission: Sendable {
    private let ledger: Mutex<AdmissionLedger>
    private let clock: any WallClock

    public init(limits: AdmissionLimits, clock: any WallClock) {
        self.ledger = Mutex(AdmissionLedger(limits))
        self.clock = clock
    }

    /// Takes an amount of a resource for as long as the permit lives.
    /// - Throws: `AdmissionRefused`: 503 when the server as a whole is full, 429 when the network or the person has enough.
    public func permit(
        for resource: AdmissionResource, amount: Int = 1, network: String? = nil, person: UserID? = nil
    ) throws -> AdmissionPermit {
        let claimant = AdmissionClaimant(network: network, person: person)
        let now = clock.now()
        if let scope = ledger.withLock({ $0.admit(resource, amount, for: claimant, at: now) }) {
            throw AdmissionRefused(resource: resource, scope: scope)
        }
        return AdmissionPermit { [self] in ledger.withLock { $0.release(resource, amount, for: claimant) } }
    }

    /// How much of a resource is in use.
    public func used(_ resource: AdmissionResource) -> Int { ledger.withLock { $0.used(resource) } }

    public var limits: AdmissionLimits { ledger.withLock { $0.limits } }
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

    public init(resource: AdmissionResource, scope: AdmissionScope) {
        self.resource = resource
        self.scope = scope
    }

    /// `admission.<resource>`.
    public var code: String { "admission.\(resource.rawValue)" }
    public var status: Int { scope == .total ? 503 : 429 }
    public var detail: String {
        switch scope {
        case .total: "The server has no room for more of this at the moment."
        case .network: "This network has as much of this in use as it may."
        case .person: "You have as much of this in use as you may."
        case .day: "You have done this as often as you may today."
        }
    }
    public var isTemporary: Bool { true }
    public var retryAfter: Duration? { scope == .day ? .seconds(3_600) : .seconds(2) }
}
