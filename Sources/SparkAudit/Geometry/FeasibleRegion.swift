package import SparkCore

/// The places that contradict a set of clues least: the knowledge of an attacker who takes each answer literally.
package enum FeasibleRegion {
    private static let half = 5
    private static let rounds = 5
    /// Places whose contradiction exceeds the smallest by less than this count as equally good, in metres.
    private static let slack = 5.0

    /// The middle of the region, found with successively finer grids.
    /// - Parameters:
    ///   - start: the approximate place of the region.
    ///   - reach: the first search radius around the start, in metres.
    package static func middle(of clues: [Clue], around start: Coordinate, reach: Double) -> Coordinate {
        var (centre, reach) = (start, reach)
        for _ in 0..<rounds {
            let step = reach / Double(half)
            var places: [(offset: Offset, contradiction: Double)] = []
            for row in -half...half {
                for column in -half...half {
                    let offset = Offset(east: Double(column) * step, north: Double(row) * step)
                    places.append((offset, contradiction(of: clues, at: centre.moved(by: offset))))
                }
            }
            let least = places.map(\.contradiction).min() ?? 0
            let best = places.filter { $0.contradiction <= least + slack }.map(\.offset)
            guard !best.isEmpty else { break }
            let middle = Offset(
                east: best.reduce(0) { $0 + $1.east } / Double(best.count),
                north: best.reduce(0) { $0 + $1.north } / Double(best.count))
            let extent = best.map { max(abs($0.east - middle.east), abs($0.north - middle.north)) }.max() ?? 0
            centre = centre.moved(by: middle)
            reach = min(reach, extent + 1.5 * step)
        }
        return centre
    }

    /// The root mean square of the clues' contradictions, in metres.
    package static func contradiction(of clues: [Clue], at place: Coordinate) -> Double {
        let sum = clues.reduce(0) { sum, clue in
            let value = clue.contradiction(at: place)
            return sum + value * value
        }
        return (sum / Double(max(1, clues.count))).squareRoot()
    }
}
