import SparkCore

/// Undoes the rounding: walks to where the shown kilometre turns, which is at an exact distance, from several sides.
struct RoundingEdge: LocationAttack {
    private static let kilometres = 6

    let name = "walking to where the shown distance turns"
    let exposures = Exposure.allCases
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: Cast.kilometres)
        let edges = try await target.spy.edges(
            around: target.neighbourhood, rays: rays, span: 3_000...10_000, tolerance: tolerance, using: &random
        ) {
            // Hidden reads as far away: there is no edge then.
            (try await target.spy.distance(to: target.id) ?? .max) <= Self.kilometres
        }
        return EdgeLocation.place(edges, turningAt: Double(Self.kilometres) * 1_000 + 500, near: target.neighbourhood)
    }
}
