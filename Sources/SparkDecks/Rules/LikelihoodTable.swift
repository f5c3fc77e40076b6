/// How likely a viewer and a candidate like each other. How often the candidate is liked determines how likely the viewer likes
/// the candidate; how often the candidate likes determines how likely the candidate likes anybody.
///
/// There is one table for each level of the viewer, made once for all searches and read without a reference count.
struct LikelihoodTable: @unchecked Sendable {  // filled before it is shared, never changed or freed
    /// Raw values of tallies are below this.
    private static let size = 128
    private static let tables: [LikelihoodTable] = (0..<SwipeTally.levels).map { LikelihoodTable(giving: $0) }

    /// Indexed by the raw value of the candidate's tally. From `size` on: the same for a candidate who likes the viewer.
    private let values: UnsafePointer<Double>

    static func of(_ viewer: SwipeTally) -> LikelihoodTable { tables[Int(viewer.giving)] }

    private init(giving: UInt8) {
        let values = UnsafeMutablePointer<Double>.allocate(capacity: 2 * Self.size)
        for rawValue in 0..<Self.size {
            let tally = SwipeTally(rawValue: UInt8(rawValue))
            let there = Self.chance(giving, tally.receiving)
            (values + rawValue).initialize(to: Self.mean(there, SwipeTally.share(tally.giving)))
            (values + Self.size + rawValue).initialize(to: Self.mean(there, 1))
        }
        self.values = UnsafePointer(values)
    }

    @inline(__always)
    subscript(candidate: SwipeTally, isCertain isCertain: Bool) -> Double {
        values[Int(candidate.rawValue) + (isCertain ? Self.size : 0)]
    }

    /// The harmonic mean of both probabilities, as in reciprocal recommenders (Pizzato et al., "RECON", RecSys 2010): one-sided
    /// affection counts little.
    private static func mean(_ there: Double, _ back: Double) -> Double { 2 * there * back / (there + back) }

    /// The probability that a person with this level of liking likes one with this level of being liked: the odds multiply,
    /// relative to the average.
    private static func chance(_ giving: UInt8, _ receiving: UInt8) -> Double {
        func odds(_ level: UInt8) -> Double { SwipeTally.share(level) / (1 - SwipeTally.share(level)) }
        let odds = odds(giving) * odds(receiving) / odds(SwipeTally().giving)
        return odds / (1 + odds)
    }
}
