import SparkCore

/// Defeats the rounding: walks from several sides to where the shown kilometre changes, which is at an exact distance.
struct RoundingEdge: LocationAttack {
    private static let kilometres = 6

    let name = "walking to where the shown distance changes"
    let exposures = Exposure.allCases
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: Cast.kilometres)
        let edges = try await target.spy.edges(
            around: target.neighbourhood, rays: rays, span: 3_000...10_000, tolerance: tolerance, using: &random
        ) {
            // A hidden distance counts as far away, so it has no edge.
            (try await target.spy.distance(to: target.id) ?? .max) <= Self.kilometres
        }
        return EdgeLocation.place(edges, turningAt: Double(Self.kilometres) * 1_000 + 500, near: target.neighbourhood)
    }
}
