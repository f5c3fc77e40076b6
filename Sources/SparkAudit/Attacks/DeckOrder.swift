import SparkCore

/// Registers a decoy that differs from the victim only in its place, and walks between them until they swap in the deck's order.
/// At that point both are equally far, up to the rounding of the order, and the attacker knows the decoy's place.
struct DeckOrder: LocationAttack {
    private static let decoyMetres = 12_000.0

    let name = "the order of the deck beside a decoy"
    let exposures = [Exposure.shown]
    let rays: Int
    let tolerance: Double

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: 50)
        var (middles, bounds): ([Clue], [Clue]) = ([], [])
        for bearing in Spy.bearings(rays, using: &random) {
            let away = target.neighbourhood.moved(by: Offset(bearing: bearing, metres: Self.decoyMetres))
            let decoy = try await target.decoy.stand(at: away)
            let beyond = target.neighbourhood.moved(by: Offset(bearing: bearing + .pi, metres: 3_000))
            let edge = try await target.spy.edge(from: beyond, to: away, tolerance: tolerance) {
                try await target.spy.prefers(target.id, to: target.decoy.id) ?? false
            }
            guard let edge else { continue }
            middles.append(Clue(edge.middle, metres: edge.middle.distance(to: decoy).metres))
            // The order compares whole kilometres, so the first of the two is less than half a kilometre farther than the other.
            bounds.append(Clue(edge.inside, nearest: 0, farthest: Self.rounded(edge.inside, decoy) + 500))
            bounds.append(Clue(edge.outside, nearest: Self.rounded(edge.outside, decoy) - 500, farthest: .infinity))
        }
        guard let place = Multilaterator.place(middles, from: target.neighbourhood) else { return nil }
        return FeasibleRegion.middle(of: bounds, around: place, reach: 1_500)
    }

    private static func rounded(_ place: Coordinate, _ decoy: Coordinate) -> Double {
        (place.distance(to: decoy).metres / 1_000).rounded() * 1_000
    }
}
