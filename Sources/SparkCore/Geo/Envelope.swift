#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A box in degrees that does not cross the antimeridian.
public struct Envelope: Hashable, Sendable {
    /// The southern edge, in degrees.
    public let minLatitude: Double
    /// The northern edge, in degrees.
    public let maxLatitude: Double
    /// The western edge, in degrees.
    public let minLongitude: Double
    /// The eastern edge, in degrees.
    public let maxLongitude: Double

    /// One or two boxes that together contain every point within `radius` of `centre`: two if the circle crosses the
    /// antimeridian. If the circle contains a pole, the box spans all longitudes.
    public static func covering(_ centre: Coordinate, radius: Distance) -> [Envelope] {
        // Slightly wider than the circle, so that rounding never loses a point on its edge.
        let angle = radius.metres / Coordinate.earthRadiusMetres * (1 + 1e-9) + 1e-9
        let south = max(-90, centre.latitude - angle.degrees)
        let north = min(90, centre.latitude + angle.degrees)
        func all() -> [Envelope] {
            [Envelope(minLatitude: south, maxLatitude: north, minLongitude: -180, maxLongitude: 180)]
        }
        let ratio = sin(min(angle, .pi / 2)) / cos(centre.latitude.radians)
        guard south > -90, north < 90, angle < .pi / 2, ratio < 1 else { return all() }
        let halfWidth = asin(ratio).degrees * (1 + 1e-9) + 1e-9
        let (west, east) = (centre.longitude - halfWidth, centre.longitude + halfWidth)
        guard halfWidth < 180 else { return all() }
        func box(_ from: Double, _ to: Double) -> Envelope {
            Envelope(minLatitude: south, maxLatitude: north, minLongitude: from, maxLongitude: to)
        }
        if west < -180 { return [box(-180, east), box(west + 360, 180)] }
        if east >= 180 { return [box(west, 180), box(-180, east - 360)] }
        return [box(west, east)]
    }
}
