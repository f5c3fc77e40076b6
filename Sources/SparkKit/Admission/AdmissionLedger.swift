public import SparkCore

/// Who uses a resource.
public struct AdmissionClaimant: Hashable, Sendable {
    /// The client address as limits count it; nil for trusted proxies and inside the process.
    public let network: String?
    public let person: UserID?

    public init(network: String? = nil, person: UserID? = nil) {
        self.network = network
        self.person = person
    }
}

/// Which bound refused.
public enum AdmissionScope: String, CaseIterable, Sendable {
    case total, network, person, day
}

/// How much of each resource is in use, and by whom. Pure: time comes in, verdicts go out.
///
/// Memory is bounded by what is admitted: a network or a person without anything in use has no entry, and days are forgotten when
/// they end.
public struct AdmissionLedger: Sendable {
    private struct Use: Sendable {
        var total = 0
        var networks: [String: Int] = [:]
        var people: [UserID: Int] = [:]
        /// Begun today.
        var day: [UserID: Int] = [:]
    }

    public private(set) var limits: AdmissionLimits
    private var uses: [AdmissionResource: Use] = [:]
    private var today: CivilDate?

    public init(_ limits: AdmissionLimits) { self.limits = limits }

    /// Takes an amount, or says which bound stands against it; then nothing changes.
    public mutating func admit(
        _ resource: AdmissionResource, _ amount: Int, for claimant: AdmissionClaimant, at now: Timestamp
    ) -> AdmissionScope? {
        if today != now.date {
            today = now.date
            for resource in uses.keys { uses[resource]?.day = [:] }
        }
        let limit = limits[resource]
        var use = uses[resource] ?? Use()
        if let bound = limit.total, use.total + amount > bound { return .total }
        if let bound = limit.perNetwork, let network = claimant.network, use.networks[network, default: 0] + amount > bound {
            return .network
        }
        if let person = claimant.person {
            if let bound = limit.perPerson, use.people[person, default: 0] + amount > bound { return .person }
            if let bound = limit.perPersonDay, use.day[person, default: 0] + amount > bound { return .day }
            if limit.perPersonDay != nil { use.day[person, default: 0] += amount }
            use.people[person, default: 0] += amount
        }
        use.total += amount
        if let network = claimant.network { use.networks[network, default: 0] += amount }
        uses[resource] = use
        return nil
    }

    /// Gives an admitted amount back.
    public mutating func release(_ resource: AdmissionResource, _ amount: Int, for claimant: AdmissionClaimant) {
        guard var use = uses.removeValue(forKey: resource) else { return }
        use.total = max(0, use.total - amount)
        if let network = claimant.network { Self.lower(&use.networks, network, by: amount) }
        if let person = claimant.person { Self.lower(&use.people, person, by: amount) }
        uses[resource] = use
    }

    /// How much of a resource is in use.
    public func used(_ resource: AdmissionResource) -> Int { uses[resource]?.total ?? 0 }

    private static func lower<Key: Hashable>(_ table: inout [Key: Int], _ key: Key, by amount: Int) {
        let left = (table[key] ?? 0) - amount
        table[key] = left > 0 ? left : nil
    }
}
