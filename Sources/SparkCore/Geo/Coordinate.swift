#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A place on the WGS 84 ellipsoid in degrees: latitude −90…90, longitude −180…180 (180 becomes −180). Always finite.
public struct Coordinate: Hashable, Sendable {
    /// Degrees north of the equator.
    public let latitude: Double
    /// Degrees east of Greenwich.
    public let longitude: Double

    /// Nil for values outside the ranges and for NaN.
    public init?(latitude: Double, longitude: Double) {
        guard latitude >= -90, latitude <= 90, longitude >= -180, longitude <= 180 else { return nil }
        self.latitude = latitude
        self.longitude = longitude == 180 ? -180 : longitude
    }

    /// For values that the calculation already keeps in range.
    init(trustedLatitude latitude: Double, longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }

    /// The great-circle distance on a sphere with the mean Earth radius (haversine formula). It differs from the geodesic
    /// distance by at most 0.56 %, and is exact at the poles and across the antimeridian.
    public func distance(to other: Coordinate) -> Distance {
        let (a, b) = (latitude.radians, other.latitude.radians)
        let sinLatitude = sin((b - a) / 2)
        let sinLongitude = sin((other.longitude - longitude).radians / 2)
        let h = sinLatitude * sinLatitude + cos(a) * cos(b) * sinLongitude * sinLongitude
        return Distance(metres: 2 * Self.earthRadiusMetres * asin(min(1, h.squareRoot())))
    }

    /// The mean radius R1 of WGS 84 (IUGG).
    public static let earthRadiusMetres = 6_371_008.8
}

/// A length, in metres.
public struct Distance: Hashable, Comparable, Sendable {
    /// The length in metres.
    public let metres: Double

    /// A length in metres.
    public init(metres: Double) { self.metres = metres }

    /// A length in whole kilometres.
    public static func kilometres(_ value: Int) -> Distance { Distance(metres: Double(value) * 1_000) }

    /// Orders by length.
    public static func < (left: Self, right: Self) -> Bool { left.metres < right.metres }
}

extension Double {
    var radians: Double { self * .pi / 180 }
    var degrees: Double { self * 180 / .pi }
}
