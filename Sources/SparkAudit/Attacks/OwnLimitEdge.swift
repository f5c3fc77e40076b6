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
