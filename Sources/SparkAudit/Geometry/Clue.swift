package import SparkCore

/// The result of one query: bounds for the victim's distance from a known place.
package struct Clue: Sendable {
    package let anchor: Coordinate
    /// In metres, inclusive.
    package let nearest: Double
    /// Infinite when there is no upper bound.
    package let farthest: Double

    package init(_ anchor: Coordinate, nearest: Double, farthest: Double) {
        self.anchor = anchor
        self.nearest = nearest
        self.farthest = farthest
    }

    /// An exact distance.
    package init(_ anchor: Coordinate, metres: Double) { self.init(anchor, nearest: metres, farthest: metres) }

    /// The best estimate of the distance; nil when a bound is missing.
    var metres: Double? { farthest.isFinite && (nearest > 0 || nearest == farthest) ? (nearest + farthest) / 2 : nil }

    /// By how many metres a place violates the bounds.
    func contradiction(at place: Coordinate) -> Double {
        let distance = place.distance(to: anchor).metres
        return max(nearest - distance, distance - farthest, 0)
    }
}
