package import SparkCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A step over the ground, in metres: its east and north components at the start of the great circle.
package struct Offset: Hashable, Sendable {
    package var east: Double
    package var north: Double

    package init(east: Double, north: Double) {
        self.east = east
        self.north = north
    }

    /// - Parameter bearing: in radians, clockwise from north.
    init(bearing: Double, metres: Double) {
        self.init(east: sin(bearing) * metres, north: cos(bearing) * metres)
    }

    var metres: Double { (east * east + north * north).squareRoot() }
    var bearing: Double { atan2(east, north) }

    static func * (offset: Offset, factor: Double) -> Offset {
        Offset(east: offset.east * factor, north: offset.north * factor)
    }
}

extension Coordinate {
    /// The destination of a step, on the server's sphere; correct across poles and antimeridian.
    package func moved(by offset: Offset) -> Coordinate {
        let (angle, bearing) = (offset.metres / Self.earthRadiusMetres, offset.bearing)
        let (phi, lambda) = (latitude * .pi / 180, longitude * .pi / 180)
        let sine = sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(bearing)
        let turn = atan2(sin(bearing) * sin(angle) * cos(phi), cos(angle) - sin(phi) * sine)
        var degrees = (lambda + turn) * 180 / .pi
        if degrees < -180 { degrees += 360 } else if degrees >= 180 { degrees -= 360 }
        return Coordinate(latitude: asin(min(1, max(-1, sine))) * 180 / .pi, longitude: degrees) ?? self
    }

    /// The step to another place.
    package func offset(to other: Coordinate) -> Offset {
        let (a, b) = (latitude * .pi / 180, other.latitude * .pi / 180)
        let turn = (other.longitude - longitude) * .pi / 180
        let bearing = atan2(sin(turn) * cos(b), cos(a) * sin(b) - sin(a) * cos(b) * cos(turn))
        return Offset(bearing: bearing, metres: distance(to: other).metres)
    }

    /// The midpoint along the great circle.
    func middle(to other: Coordinate) -> Coordinate { moved(by: offset(to: other) * 0.5) }
}
