import SparkCore

/// Walks to where the victim's score in the deck changes. It changes at every half kilometre; for people who hide their distance
/// only at the ends of wide bands, the first at ten and a half kilometres.
struct ScoreEdge: LocationAttack {
    private static let turnMetres = 10_500.0

    let name = "walking to where the score changes"
    let exposures = Exposure.allCases
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: 50)
        guard let least = try await leastScore(target, random: &random) else { return nil }
        let edges = try await target.spy.edges(
            around: target.neighbourhood, rays: rays, span: 7_000...14_500, tolerance: tolerance, using: &random
        ) { (try await target.spy.score(of: target.id) ?? 0) >= least }
        return EdgeLocation.place(edges, turningAt: Self.turnMetres, near: target.neighbourhood)
    }

    /// The score of a person ten kilometres away, read from the decoy, which has the victim's age and activity.
    private func leastScore(_ target: Target, random: inout SplitMix64) async throws -> Double? {
        if target.exposure == .hidden {
            _ = try await target.spy.stand(at: target.neighbourhood)
            return try await target.spy.score(of: target.id)
        }
        let decoy = try await target.decoy.stand(at: target.neighbourhood)
        for bearing in Spy.bearings(8, using: &random) {
            let spy = try await target.spy.stand(at: decoy.moved(by: Offset(bearing: bearing, metres: 10_000)))
            guard abs(spy.distance(to: decoy).metres - 10_000) < 499 else { continue }
            if let score = try await target.spy.score(of: target.decoy.id) { return score }
        }
        return nil
    }
}
