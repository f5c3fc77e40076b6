import SparkCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Bounds that hold for all of some people: their places, and the extremes of what the filters read.
struct Bounds: Equatable, BitwiseCopyable {
    var minLatitude = Double.infinity
    var maxLatitude = -Double.infinity
    var minLongitude = Double.infinity
    var maxLongitude = -Double.infinity
    /// The least cosine of their latitudes.
    var cosine = 1.0
    var firstBirth: UInt16 = .max
    var lastBirth: UInt16 = 0
    /// The greatest distance in kilometres that any of them accepts; `softReach` is the same among those whose limit is soft, 0
    /// if there are none.
    var reach: UInt16 = 0
    var softReach: UInt16 = 0
    var minAge: UInt8 = .max
    var maxAge: UInt8 = 0
    var giving: UInt8 = 0
    var receiving: UInt8 = 0
    var lastActive: UInt32 = 0
    var count: Int32 = 0

    var isEmpty: Bool { count == 0 }

    mutating func extend(latitude: Double, longitude: Double) {
        minLatitude = min(minLatitude, latitude)
        maxLatitude = max(maxLatitude, latitude)
        minLongitude = min(minLongitude, longitude)
        maxLongitude = max(maxLongitude, longitude)
    }

    /// Computes the cosine. Call it when the latitudes are final.
    mutating func settle() {
        guard !isEmpty else { return }
        let farthest = max(abs(minLatitude), abs(maxLatitude))
        // Slightly less than exact, so that rounding never makes a distance too long.
        cosine = max(0, cos(farthest * .pi / 180) * (1 - 1e-12) - 1e-15)
    }

    mutating func merge(_ other: Bounds) {
        guard !other.isEmpty else { return }
        minLatitude = min(minLatitude, other.minLatitude)
        maxLatitude = max(maxLatitude, other.maxLatitude)
        minLongitude = min(minLongitude, other.minLongitude)
        maxLongitude = max(maxLongitude, other.maxLongitude)
        cosine = isEmpty ? other.cosine : min(cosine, other.cosine)
        firstBirth = min(firstBirth, other.firstBirth)
        lastBirth = max(lastBirth, other.lastBirth)
        reach = max(reach, other.reach)
        softReach = max(softReach, other.softReach)
        minAge = min(minAge, other.minAge)
        maxAge = max(maxAge, other.maxAge)
        giving = max(giving, other.giving)
        receiving = max(receiving, other.receiving)
        lastActive = max(lastActive, other.lastActive)
        count += other.count
    }

    /// A lower bound of the distances of these people from a place, in metres.
    ///
    /// The haversine formula with each factor at its minimum. The chord replaces the arc, so no arcsine is needed.
    @inline(__always)
    func leastMetres(from place: PlaceOfView) -> Double {
        let south = minLatitude - place.latitude
        let north = place.latitude - maxLatitude
        let rise = max(0, max(south, north))
        var turn = 0.0
        if place.longitude < minLongitude || place.longitude > maxLongitude {
            let east = minLongitude - place.longitude
            let west = place.longitude - maxLongitude
            turn = min(east < 0 ? east + 360 : east, west < 0 ? west + 360 : west)
        }
        if rise == 0, turn == 0 { return 0 }
        let (a, b) = (PlaceOfView.sineOfHalf(rise), PlaceOfView.sineOfHalf(turn))
        let h = a * a + place.cosine * cosine * b * b
        return 2 * Coordinate.earthRadiusMetres * h.squareRoot() * (1 - 1e-9)
    }
}

/// A place from which distances are bounded.
struct PlaceOfView {
    let latitude: Double
    let longitude: Double
    /// Slightly less than the cosine of the latitude.
    let cosine: Double
    private let radians: Double
    private let exactCosine: Double

    init(_ place: Coordinate) {
        self.latitude = place.latitude
        self.longitude = place.longitude
        self.radians = place.latitude * .pi / 180
        self.exactCosine = cos(radians)
        self.cosine = max(0, cos(place.latitude * .pi / 180) * (1 - 1e-12) - 1e-15)
    }

    /// The distance of a place in metres, bit for bit that of `Coordinate.distance`.
    @inline(__always)
    func metres(latitude: Double, longitude: Double) -> Double {
        let b = latitude * .pi / 180
        let (sinLatitude, sinLongitude) = (sin((b - radians) / 2), sin(((longitude - self.longitude) * .pi / 180) / 2))
        let h = sinLatitude * sinLatitude + exactCosine * cos(b) * sinLongitude * sinLongitude
        return 2 * Coordinate.earthRadiusMetres * asin(min(1, h.squareRoot()))
    }

    /// Slightly less than the sine of half an angle of 0…180 degrees: the series ends after a negative term.
    @inline(__always)
    static func sineOfHalf(_ degrees: Double) -> Double {
        let x = degrees * (.pi / 360)
        if x > 0.5 { return sin(x) * (1 - 1e-12) }
        let square = x * x
        return x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42))) * (1 - 1e-12)
    }
}
