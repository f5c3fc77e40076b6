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
    /// By the resource's place in `allCases`, so that a change happens in place.
    private var uses = Array(repeating: Use(), count: AdmissionResource.allCases.count)
    private var today: CivilDate?

    public init(_ limits: AdmissionLimits) { self.limits = limits }

    /// Takes an amount, or says which bound stands against it; then nothing changes.
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

    /// How much of a resource is in use.
    public func used(_ resource: AdmissionResource) -> Int { uses[resource.index].total }

    private static func lower<Key: Hashable>(_ table: inout [Key: Int], _ key: Key, by amount: Int) {
        guard let used = table[key] else { return }
        table[key] = used > amount ? used - amount : nil
    }
}
