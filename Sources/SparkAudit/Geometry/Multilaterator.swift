package import SparkCore

/// Finds a place by least squares from its distances to known places (Gauss-Newton with Levenberg damping).
///
/// Exact distances give the place to the metre anywhere on Earth. Rounded distances give it to about their rounding divided by
/// the square root of their number.
package enum Multilaterator {
    private static let rounds = 40
    private static let enough = 0.01

    /// - Parameters:
    ///   - clues: clues without a best estimate of the distance are ignored; at least three must remain.
    ///   - start: within some tens of kilometres of the place.
    /// - Returns: nil when the anchors do not determine the place: too few, or all at one spot.
    package static func place(_ clues: [Clue], from start: Coordinate) -> Coordinate? {
        let known = clues.compactMap { clue in clue.metres.map { (clue.anchor, $0) } }
        return solve(known.map(\.0), distances: known.map(\.1), from: start)?.place
    }

    /// The place with the same distance to all anchors, and that distance.
    package static func middle(of anchors: [Coordinate], from start: Coordinate) -> (place: Coordinate, metres: Double)? {
        solve(anchors, distances: nil, from: start)
    }

    /// - Parameter distances: nil for one unknown distance shared by all anchors.
    private static func solve(
        _ anchors: [Coordinate], distances: [Double]?, from start: Coordinate
    ) -> (place: Coordinate, metres: Double)? {
        guard anchors.count >= (distances == nil ? 4 : 3) else { return nil }
        var place = start
        var radius = anchors.map { start.distance(to: $0).metres }.reduce(0, +) / Double(anchors.count)
        func residuals(_ place: Coordinate, _ radius: Double) -> [Double] {
            anchors.indices.map { place.distance(to: anchors[$0]).metres - (distances?[$0] ?? radius) }
        }
        func sum(_ residuals: [Double]) -> Double { residuals.reduce(0) { $0 + $1 * $1 } }
        var (now, damping) = (residuals(place, radius), 1e-3)
        for _ in 0..<rounds {
            var equations = NormalEquations()
            for (anchor, residual) in zip(anchors, now) {
                let way = place.offset(to: anchor)
                guard way.metres > 0 else { continue }
                equations.add(
                    (-way.east / way.metres, -way.north / way.metres, distances == nil ? -1 : 0), residual: residual)
            }
            guard let step = equations.step(damping: damping, hasRadius: distances == nil) else { return nil }
            let offset = Offset(east: step.east, north: step.north)
            let next = (place: place.moved(by: offset), radius: radius + step.radius)
            let then = residuals(next.place, next.radius)
            if sum(then) <= sum(now) {
                (place, radius, now, damping) = (next.place, next.radius, then, damping / 5)
                if offset.metres < enough { break }
            } else {
                damping *= 10
                if damping > 1e6 { break }
            }
        }
        return (place, radius)
    }
}

/// The normal equations of a least-squares step in three unknowns: east, north and a radius.
private struct NormalEquations {
    private var squares = (ee: 0.0, en: 0.0, er: 0.0, nn: 0.0, nr: 0.0, rr: 0.0)
    private var right = (e: 0.0, n: 0.0, r: 0.0)

    mutating func add(_ slope: (east: Double, north: Double, radius: Double), residual: Double) {
        squares.ee += slope.east * slope.east
        squares.en += slope.east * slope.north
        squares.er += slope.east * slope.radius
        squares.nn += slope.north * slope.north
        squares.nr += slope.north * slope.radius
        squares.rr += slope.radius * slope.radius
        right.e -= slope.east * residual
        right.n -= slope.north * residual
        right.r -= slope.radius * residual
    }

    /// Nil when the equations are singular.
    func step(damping: Double, hasRadius: Bool) -> (east: Double, north: Double, radius: Double)? {
        let grow = 1 + damping
        let (a, d, f) = (squares.ee * grow, squares.nn * grow, hasRadius ? squares.rr * grow : 1)
        let (b, c, e) = (squares.en, squares.er, squares.nr)
        let (ca, cb, cc) = (d * f - e * e, c * e - b * f, b * e - c * d)
        let determinant = a * ca + b * cb + c * cc
        guard abs(determinant) > 1e-9 else { return nil }
        let (x, y, z) = (right.e, right.n, hasRadius ? right.r : 0)
        return (
            (ca * x + cb * y + cc * z) / determinant,
            (cb * x + (a * f - c * c) * y + (b * c - a * e) * z) / determinant,
            (cc * x + (b * c - a * e) * y + (a * d - b * b) * z) / determinant
        )
    }
}
