/// What the server bounds for all its clients together, for one network and for one person.
public enum AdmissionResource: String, CaseIterable, Sendable {
    /// Open sockets of every kind: HTTP, WebSocket, event stream, poll.
    case connections
    /// Bytes of request bodies that have begun to arrive and are not answered.
    case bodies
    /// Bytes of memory that password hashes under way use.
    case hashing
    /// Exports under way.
    case exports
    /// Text searches under way.
    case searches
    /// WebSockets, event streams and polls under way.
    case streams

    /// What an amount of it counts.
    public var unit: String {
        switch self {
        case .bodies, .hashing: "bytes"
        case .connections, .exports, .searches, .streams: "at once"
        }
    }
}

/// How much of one resource may be in use; nil lifts a bound.
public struct AdmissionLimit: Hashable, Sendable {
    public var total: Int?
    /// For one client address: an IPv4 address or an IPv6 /64.
    public var perNetwork: Int?
    public var perPerson: Int?
    /// Begun by one person within a UTC day.
    public var perPersonDay: Int?

    public init(total: Int? = nil, perNetwork: Int? = nil, perPerson: Int? = nil, perPersonDay: Int? = nil) {
        self.total = total
        self.perNetwork = perNetwork
        self.perPerson = perPerson
        self.perPersonDay = perPersonDay
    }
}

/// Every bound of admission, in one place.
public struct AdmissionLimits: Hashable, Sendable {
    private var limits: [AdmissionResource: AdmissionLimit]

    public init(_ limits: [AdmissionResource: AdmissionLimit] = [:]) { self.limits = limits }

    public subscript(resource: AdmissionResource) -> AdmissionLimit {
        get { limits[resource] ?? AdmissionLimit() }
        set { limits[resource] = newValue }
    }

    /// The defaults: what a machine with 20,000 descriptors and 1 GiB to spare carries.
    public static let standard = AdmissionLimits([
        .connections: AdmissionLimit(total: 16_000, perNetwork: 1_024),
        .bodies: AdmissionLimit(total: 64 << 20, perNetwork: 16 << 20),
        .hashing: AdmissionLimit(total: 256 << 20),
        .exports: AdmissionLimit(total: 4, perPerson: 1, perPersonDay: 24),
        .searches: AdmissionLimit(total: 16, perPerson: 2),
        .streams: AdmissionLimit(total: 16_000, perNetwork: 512, perPerson: 8),
    ])
}
