package import SparkCore

/// The places that contradict a set of clues least: what an attacker knows who takes each answer for what it says, and no more.
package enum FeasibleRegion {
    private static let half = 5
    private static let rounds = 5
    /// Places that contradict by so little more than the best are as good, in metres.
    private static let slack = 5.0

    /// The middle of the region, by grids that close in on it.
    /// - Parameters:
    ///   - start: where the region is, about.
    ///   - reach: how far around the start is looked first, in metres.
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

    /// The root of the mean square, in metres.
    package static func contradiction(of clues: [Clue], at place: Coordinate) -> Double {
        let sum = clues.reduce(0) { sum, clue in
            let value = clue.contradiction(at: place)
            return sum + value * value
        }
        return (sum / Double(max(1, clues.count))).squareRoot()
    }
}
