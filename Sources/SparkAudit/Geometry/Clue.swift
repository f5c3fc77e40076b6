package import SparkCore

/// What one question told: how far from a known place the victim is, between two bounds.
package struct Clue: Sendable {
    package let anchor: Coordinate
    /// In metres; both ends included.
    package let nearest: Double
    /// Infinite when nothing bounds it.
    package let farthest: Double

    package init(_ anchor: Coordinate, nearest: Double, farthest: Double) {
        self.anchor = anchor
        self.nearest = nearest
        self.farthest = farthest
    }

    /// An exact distance.
    package init(_ anchor: Coordinate, metres: Double) { self.init(anchor, nearest: metres, farthest: metres) }

    /// The best guess of the distance; nil when one bound is missing, and there is no best guess.
    var metres: Double? { farthest.isFinite && (nearest > 0 || nearest == farthest) ? (nearest + farthest) / 2 : nil }

    /// By how much a place contradicts it, in metres.
    func contradiction(at place: Coordinate) -> Double {
        let distance = place.distance(to: anchor).metres
        return max(nearest - distance, distance - farthest, 0)
    }
}
