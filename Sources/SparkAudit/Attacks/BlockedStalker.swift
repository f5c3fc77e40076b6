import SparkCore

/// A blocked attacker reads the deck's explanation, whose counts come in steps of five. Four of the attacker's accounts, which
/// the attacker has passed on and which move with the attacker, fill a step, so that one more person would show. The smallest
/// distance limit at which the count changes would be the victim's distance.
struct BlockedStalker: LocationAttack {
    let name = "counts, asked by a blocked person"
    let exposures = Exposure.allCases
    let mayLocate = false
    let positions: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        let stalker = try await target.hire(.spy)
        var fillers: [Spy] = []
        for _ in 0..<4 { fillers.append(try await target.hire(.victim)) }
        var (known, passed): (String, Set<String>) = ("", [])
        var clues: [Clue] = []
        for bearing in Spy.bearings(positions, using: &random) {
            let place = target.neighbourhood.moved(
                by: Offset(bearing: bearing, metres: Double.random(in: 5_000...12_000, using: &random)))
            let anchor = try await stalker.stand(at: place)
            for filler in fillers { _ = try await filler.stand(at: place) }
            if stalker.id != known {
                (known, passed) = (stalker.id, [])
                try await target.act(.block(known))
            }
            for filler in fillers where passed.insert(filler.id).inserted { try await stalker.swipe(filler.id, "pass") }
            let clue = try await Target.limitClue(at: anchor, within: 2...17) { kilometres in
                stalker.look(kilometres: kilometres)
                return try await stalker.decidedPeople() >= 5
            }
            if let clue { clues.append(clue) }
        }
        return Multilaterator.place(clues, from: target.neighbourhood)
    }
}
