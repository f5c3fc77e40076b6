import SparkCore

/// The people of one city and the place of each home.
///
/// Seven in ten live in a core whose density decreases exponentially, the others in suburbs that thin out with the distance. Both
/// parts are numbered ring by ring outwards and around within a ring: each person has a stratum of that polar grid and a random
/// home in it. So people with close numbers live close together, and the whole has exactly the intended distribution.
struct Settlement: Sendable {
    let city: City
    /// The indices of the inhabitants.
    let people: Range<Int>

    private static let coreShare = 0.7
    /// The length over which the density falls to 1/e, per square root of the population: 7 km for 37 million.
    private static let fallOffKilometresPerRoot = 0.0012
    private static let minFallOffKilometres = 0.5
    private static let maxSuburbKilometres = 40.0
    private static let kilometresPerDegree = 111.195

    private let coreCount: Int
    private let coreRings: Int
    private let suburbRings: Int
    private let fallOffKilometres: Double
    private let suburbKilometres: Double
    private let longitudeDegreesPerKilometre: Double

    init(city: City, people: Range<Int>) {
        self.city = city
        self.people = people
        coreCount = Int((Double(people.count) * Self.coreShare).rounded())
        coreRings = Self.rings(coreCount)
        suburbRings = Self.rings(people.count - coreCount)
        fallOffKilometres = max(
            Self.minFallOffKilometres, Self.fallOffKilometresPerRoot * Double(city.population).squareRoot())
        suburbKilometres = min(Self.maxSuburbKilometres, 5 + 12 * fallOffKilometres)
        // The minimum avoids a division by zero at the poles.
        longitudeDegreesPerKilometre =
            1 / (Self.kilometresPerDegree * max(0.01, cosine(latitude: city.centre.latitude)))
    }

    /// The home of an inhabitant, within 60 km of the centre.
    func place(of index: Int, quantiles: RadialQuantiles, draw: inout Draw) -> Coordinate {
        let position = index - people.lowerBound
        let kilometres: Double
        let turns: Double
        if position < coreCount {
            let stratum = Self.stratum(position, of: coreCount, rings: coreRings, draw: &draw)
            kilometres = quantiles.radius(holding: stratum.share) * fallOffKilometres
            turns = stratum.turns
        } else {
            let stratum = Self.stratum(
                position - coreCount, of: people.count - coreCount, rings: suburbRings, draw: &draw)
            kilometres = stratum.share * suburbKilometres
            turns = stratum.turns
        }
        let (north, east) = direction(turns: turns)
        let latitude = city.centre.latitude + kilometres * north / Self.kilometresPerDegree
        var longitude = city.centre.longitude + kilometres * east * longitudeDegreesPerKilometre
        if longitude >= 180 { longitude -= 360 } else if longitude < -180 { longitude += 360 }
        return Coordinate(latitude: min(max(latitude, -90), 90), longitude: longitude) ?? city.centre
    }

    /// The number of rings that makes strata about as long as wide.
    private static func rings(_ count: Int) -> Int { max(1, Int(Double(count / 3).squareRoot())) }

    /// A random point in the stratum of one of `count` people: the share of the people who live nearer to the centre, and the
    /// bearing in turns.
    private static func stratum(
        _ position: Int, of count: Int, rings: Int, draw: inout Draw
    ) -> (share: Double, turns: Double) {
        let ring = (position * rings + rings - 1) / count
        let start = ring * count / rings
        let end = (ring + 1) * count / rings
        let share = (Double(ring) + draw.fraction()) / Double(rings)
        let turns = (Double(position - start) + draw.fraction()) / Double(end - start)
        return (share, turns)
    }
}
