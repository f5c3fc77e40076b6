import SparkCore

/// Stays at one place and bisects its own distance limit by kilometres until the victim appears and disappears. The age filter
/// stays as narrow as possible, so that the deck holds no other people.
struct LimitBisection: LocationAttack {
    let name = "halving one's own limit of distance"
    let exposures = Exposure.allCases
    let positions: Int

    func locate(_ target: Target, using random: inout SplitMix64) async throws -> Coordinate? {
        var clues: [Clue] = []
        for bearing in Spy.bearings(positions, using: &random) {
            let metres = Double.random(in: 5_000...12_000, using: &random)
            let place = target.neighbourhood.moved(by: Offset(bearing: bearing, metres: metres))
            if let clue = try await target.limitClue(from: place, within: 2...17) { clues.append(clue) }
        }
        guard let place = Multilaterator.place(clues, from: target.neighbourhood) else { return nil }
        return FeasibleRegion.middle(of: clues, around: place, reach: 1_000)
    }
}

extension Target {
    /// The clue from the smallest limit at which the deck includes the victim; nil when no limit of the range is it.
    func limitClue(from place: Coordinate, within kilometres: ClosedRange<Int>) async throws -> Clue? {
        try await Self.limitClue(at: try await spy.stand(at: place), within: kilometres) { limit in
            spy.look(kilometres: limit)
            return try await spy.sees(id)
        }
    }

    /// The same for any answer that changes at a limit.
    static func limitClue(
        at anchor: Coordinate, within kilometres: ClosedRange<Int>, where sees: (Int) async throws -> Bool
    ) async throws -> Clue? {
        var (low, high) = (kilometres.lowerBound - 1, kilometres.upperBound)
        guard try await sees(high) else { return nil }
        while high - low > 1 {
            let middle = (low + high) / 2
            if try await sees(middle) { high = middle } else { low = middle }
        }
        return Clue(anchor, nearest: Double(high - 1) * 1_000, farthest: Double(high) * 1_000)
    }
}
