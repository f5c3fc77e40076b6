import SparkCore

/// Walks away until the attacker's own distance limit removes the victim from the deck.
struct OwnLimitEdge: LocationAttack {
    private static let kilometres = 12

    let name = "walking out of one's own limit of distance"
    let exposures = Exposure.allCases
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: Self.kilometres)
        let edges = try await target.spy.edges(
            around: target.neighbourhood, rays: rays, span: 8_000...16_000, tolerance: tolerance, using: &random
        ) { try await target.spy.sees(target.id) }
        return EdgeLocation.place(edges, turningAt: Double(Self.kilometres) * 1_000, near: target.neighbourhood)
    }
}

/// Walks away until the victim's distance limit removes the victim from the deck. The limit is unknown, but the edges from
/// several sides reveal it, and it is a whole number of kilometres.
struct VictimLimitEdge: LocationAttack {
    private static let anywhere = 20_000

    let name = "walking out of the victim's limit of distance"
    let exposures = Exposure.allCases
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: Self.anywhere)
        let edges = try await target.spy.edges(
            around: target.neighbourhood, rays: rays, span: 8_000...60_000, tolerance: tolerance, using: &random
        ) { try await target.spy.sees(target.id) }
        guard let (place, metres) = Multilaterator.middle(of: edges.map(\.middle), from: target.neighbourhood) else { return nil }
        let kilometres = (metres / 1_000).rounded()
        let guesses = [kilometres - 1, kilometres, kilometres + 1].compactMap { limit in
            EdgeLocation.place(edges, turningAt: limit * 1_000, near: place).map { place in
                let clues = edges.flatMap { $0.clues(turningAt: limit * 1_000) }
                return (place: place, contradiction: FeasibleRegion.contradiction(of: clues, at: place))
            }
        }
        return guesses.min { $0.contradiction < $1.contradiction }?.place
    }
}
