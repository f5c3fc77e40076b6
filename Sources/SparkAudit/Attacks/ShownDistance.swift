import SparkCore

/// Reads the shown distance from many places and computes the place that fits best: least squares, then the middle of the region
/// that the rounding allows.
struct ShownDistance: LocationAttack {
    let name = "trilateration on the shown distance"
    let exposures = Exposure.allCases
    let positions: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        target.spy.look(kilometres: Cast.kilometres)
        var clues: [Clue] = []
        for bearing in Spy.bearings(positions, using: &random) {
            let metres = Double.random(in: 4_000...15_000, using: &random)
            let place = target.neighbourhood.moved(by: Offset(bearing: bearing, metres: metres))
            if let clue = try await target.distanceClue(from: place) { clues.append(clue) }
        }
        guard let place = Multilaterator.place(clues, from: target.neighbourhood) else { return nil }
        return FeasibleRegion.middle(of: clues, around: place, reach: 1_000)
    }
}

extension Target {
    /// The clue from the distance shown at a place; nil when none is shown, or only its lower bound.
    func distanceClue(from place: Coordinate) async throws -> Clue? {
        let anchor = try await spy.stand(at: place)
        guard let kilometres = try await spy.distance(to: id), kilometres > 2 else { return nil }
        let metres = Double(kilometres) * 1_000
        return Clue(anchor, nearest: metres - 500, farthest: metres + 500)
    }
}
