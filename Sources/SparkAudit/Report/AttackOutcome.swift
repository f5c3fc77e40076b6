import SparkCore

/// The result of one attack against the victims of one exposure.
///
/// The verdict corrects for chance. An attack that finds the published centre is beyond the floor, because of the choice of
/// homes. An attack that misses the centre may get close to a victim by chance, but then it gets equally close to the mirrored
/// homes in the other corners of the cell, which are as likely. So an attack succeeds only if it is within the floor of more
/// victims than chance explains.
package struct AttackOutcome: Sendable {
    /// The probability of a wrong verdict against a server that reveals only cells.
    private static let significance = 0.001

    package let attack: String
    package let exposure: Exposure
    package let victims: Int
    package let requests: Int
    /// Whether the attackers may see the victims at all.
    package let mayLocate: Bool
    /// The distance that attacks must not get below, in metres.
    package let floor: Double
    /// From the estimates to the homes, in metres, ascending; one per estimate.
    package let errors: [Double]
    /// From the estimates to the published centres, in metres, ascending: the quality of the attack.
    private let missesOfCentre: [Double]
    /// The number of victims located within the floor.
    package let withinFloor: Int
    /// The number expected by chance.
    package let expectedByChance: Double
    /// The probability of at least that many by chance.
    package let likelihood: Double

    init(
        attack: String, exposure: Exposure, floor: Double, requests: Int, mayLocate: Bool = true,
        estimates: [(place: Coordinate?, home: Home)]
    ) {
        self.attack = attack
        self.exposure = exposure
        self.floor = floor
        self.requests = requests
        self.mayLocate = mayLocate
        self.victims = estimates.count
        let made = estimates.compactMap { estimate in estimate.place.map { (place: $0, home: estimate.home) } }
        self.errors = made.map { $0.place.distance(to: $0.home.place).metres }.sorted()
        self.missesOfCentre = made.map { $0.place.distance(to: $0.home.published).metres }.sorted()
        let chances = made.map { place, home in
            // A floor beyond the published centre is not reached by chance: the server itself reveals more.
            guard home.place.distance(to: home.published).metres >= floor else { return 0.0 }
            return Double((home.images + [home.place]).filter { place.distance(to: $0).metres < floor }.count)
                / Double(home.images.count + 1)
        }
        self.withinFloor = errors.filter { $0 < floor }.count
        self.expectedByChance = chances.reduce(0, +)
        self.likelihood = Self.likelihood(ofAtLeast: withinFloor, chances)
    }

    /// Whether no more victims were located than chance explains. Attackers who may not see a victim must have no estimate at
    /// all.
    package var holds: Bool {
        guard mayLocate else { return errors.isEmpty }
        return withinFloor == 0 || likelihood >= Self.significance
    }

    /// The smallest error, in metres; nil without estimates.
    package var least: Double? { errors.first }
    /// The median error, in metres.
    package var median: Double? { Self.quantile(0.5, of: errors) }
    /// The error that a twentieth of the estimates stay below, in metres.
    package var fifthPercentile: Double? { Self.quantile(0.05, of: errors) }
    /// The median distance from the published centre, in metres.
    package var medianMissOfCentre: Double? { Self.quantile(0.5, of: missesOfCentre) }

    private static func quantile(_ share: Double, of sorted: [Double]) -> Double? {
        guard let last = sorted.indices.last else { return nil }
        return sorted[Int((Double(last) * share).rounded())]
    }

    /// The probability of at least `count` of the independent events.
    private static func likelihood(ofAtLeast count: Int, _ chances: [Double]) -> Double {
        var exactly = [1.0]
        for chance in chances {
            exactly.append(0)
            for index in exactly.indices.reversed() {
                exactly[index] = exactly[index] * (1 - chance) + (index > 0 ? exactly[index - 1] * chance : 0)
            }
        }
        return exactly.dropFirst(count).reduce(0, +)
    }
}
