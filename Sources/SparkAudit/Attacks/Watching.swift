import SparkCore

/// Watches a victim for a while, queries from another place after each report of the victim's device, and averages. This defeats
/// noise that is drawn again each time, and cells between which a victim flips: the average of their centres is on the border.
struct Watching: LocationAttack {
    let name: String
    let exposures = Exposure.allCases
    let life: Life
    let reports: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        var clues: [Clue] = []
        let isShown = target.exposure == .shown
        for (step, bearing) in Spy.bearings(reports, using: &random).enumerated() {
            try await target.live(life, step)
            // Opposite places, each after both kinds of step, so that only the victim's place shifts the average.
            if isShown { target.spy.look(kilometres: Cast.kilometres) }
            for turn in isShown ? [0, Double.pi * 0.61] : [step.isMultiple(of: 2) ? 0 : .pi] {
                let place = target.neighbourhood.moved(
                    by: Offset(bearing: bearing + turn, metres: Double.random(in: 8_000...12_000, using: &random)))
                let clue =
                    isShown
                    ? try await target.distanceClue(from: place) : try await target.limitClue(from: place, within: 2...29)
                if let clue { clues.append(clue) }
            }
        }
        return Multilaterator.place(clues, from: target.neighbourhood)
    }
}
