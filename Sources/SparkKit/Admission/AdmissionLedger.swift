public import SparkCore

/// The client that uses a resource.
public struct AdmissionClaimant: Hashable, Sendable {
    /// The client address as limits count it; nil for trusted proxies and calls inside the process.
    public let network: String?
    /// The signed-in user; nil before login.
    public let person: UserID?

    /// Creates a claimant.
    public init(network: String? = nil, person: UserID? = nil) {
        self.network = network
        self.person = person
    }
}

/// How much of each resource is in use, in total and for each network and person. Pure: the caller passes the time.
///
/// Memory is bounded by what is admitted: a network or person that uses nothing has no entry, and daily counts end with the
/// day.
public struct AdmissionLedger: Sendable {
    private struct Use: Sendable {
        var total = 0
        var networks: [String: Int] = [:]
        var people: [UserID: Int] = [:]
        /// Amounts that were begun today.
        var day: [UserID: Int] = [:]
    }

    /// The limits in force.
    public private(set) var limits: AdmissionLimits
    /// Indexed by the resource's position in `allCases`, so that changes happen in place.
    private var uses = Array(repeating: Use(), count: AdmissionResource.allCases.count)
    private var today: CivilDate?

    /// Starts with nothing in use.
    public init(_ limits: AdmissionLimits) { self.limits = limits }

    /// Takes an amount. If a limit refuses, returns that limit and changes nothing.
    public mutating func admit(
        _ resource: AdmissionResource, _ amount: Int, for claimant: AdmissionClaimant, at now: Timestamp
    ) -> AdmissionScope? {
        let amount = max(0, amount)
        if today != now.date {
            today = now.date
            for index in uses.indices { uses[index].day = [:] }
        }
        let limit = limits[resource]
        let index = resource.index
        func exceeds(_ bound: Int?, _ used: Int) -> Bool { bound.map { amount > $0 - used } ?? false }
        if exceeds(limit.total, uses[index].total) { return .total }
        if let network = claimant.network, exceeds(limit.perNetwork, uses[index].networks[network, default: 0]) {
            return .network
        }
        if let person = claimant.person {
            if exceeds(limit.perPerson, uses[index].people[person, default: 0]) { return .person }
            if exceeds(limit.perPersonDay, uses[index].day[person, default: 0]) { return .day }
            if limit.perPersonDay != nil { uses[index].day[person, default: 0] += amount }
            uses[index].people[person, default: 0] += amount
        }
        uses[index].total += amount
        if let network = claimant.network { uses[index].networks[network, default: 0] += amount }
        return nil
    }

    /// Gives an admitted amount back.
    public mutating func release(_ resource: AdmissionResource, _ amount: Int, for claimant: AdmissionClaimant) {
        let index = resource.index
        let amount = max(0, amount)
        uses[index].total = max(0, uses[index].total - amount)
        if let network = claimant.network { Self.lower(&uses[index].networks, network, by: amount) }
        if let person = claimant.person { Self.lower(&uses[index].people, person, by: amount) }
    }

    /// The amount of a resource that is in use.
    public func used(_ resource: AdmissionResource) -> Int { uses[resource.index].total }

    private static func lower<Key: Hashable>(_ table: inout [Key: Int], _ key: Key, by amount: Int) {
        guard let used = table[key] else { return }
        table[key] = used > amount ? used - amount : nil
    }
}
