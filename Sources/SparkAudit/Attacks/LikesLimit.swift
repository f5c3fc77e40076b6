import SparkCore

/// The victim likes the attacker, who bisects the attacker's own distance limit until the like appears and disappears among the
/// likes: likes are shown only within the limits of both.
struct LikesLimit: LocationAttack {
    let name = "halving one's own limit among the likes"
    let exposures = Exposure.allCases
    let positions: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        let spy = try await target.hire(.spy)
        var known = ""
        var clues: [Clue] = []
        for bearing in Spy.bearings(positions, using: &random) {
            let metres = Double.random(in: 5_000...12_000, using: &random)
            let anchor = try await spy.stand(at: target.neighbourhood.moved(by: Offset(bearing: bearing, metres: metres)))
            if spy.id != known {
                known = spy.id
                try await target.act(.like(known))
            }
            let clue = try await Target.limitClue(at: anchor, within: 2...17) { kilometres in
                spy.look(kilometres: kilometres)
                return try await spy.isLiked(by: target.id)
            }
            if let clue { clues.append(clue) }
        }
        guard let place = Multilaterator.place(clues, from: target.neighbourhood) else { return nil }
        return FeasibleRegion.middle(of: clues, around: place, reach: 1_000)
    }
}
