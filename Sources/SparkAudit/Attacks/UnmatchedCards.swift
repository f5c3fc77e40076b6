import SparkCore

/// After a match that the victim ended, the attacker keeps reading the victim's distance by identifier from many places.
struct UnmatchedCards: LocationAttack {
    let name = "cards after unmatching"
    let exposures = [Exposure.shown]
    let mayLocate = false
    let positions: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        let spy = try await target.hire(.spy)
        _ = try await spy.stand(at: target.neighbourhood)
        let met = spy.id
        try await spy.swipe(target.id, "like")
        try await target.act(.matchAndUnmatch(met))
        var clues: [Clue] = []
        for bearing in Spy.bearings(positions, using: &random) {
            let metres = Double.random(in: 4_000...15_000, using: &random)
            let anchor = try await spy.stand(at: target.neighbourhood.moved(by: Offset(bearing: bearing, metres: metres)))
            // Another account would never have met the victim.
            guard spy.id == met else { break }
            if let kilometres = try await spy.distance(to: target.id), kilometres > 2 {
                clues.append(
                    Clue(anchor, nearest: Double(kilometres) * 1_000 - 500, farthest: Double(kilometres) * 1_000 + 500))
            }
        }
        return Multilaterator.place(clues, from: target.neighbourhood)
    }
}
