import SparkCore

/// What one attack reached against the victims of one exposure.
///
/// The verdict is about more than luck. An attack that finds the published centre is beyond the floor, for that is how the victims live.
/// One that misses the centre may come near a victim by chance; then it comes as near to their mirror images in the other corners
/// of the cell, which are as likely. So it gets through when it is within the floor of more victims than that explains.
package struct AttackOutcome: Sendable {
    /// So rarely a verdict may be wrong against a server that tells no more than cells.
    private static let significance = 0.001

    package let attack: String
    package let exposure: Exposure
    package let victims: Int
    package let requests: Int
    /// Whether the attackers may see the victims at all.
    package let mayLocate: Bool
    /// How near, in metres.
    package let floor: Double
    /// From the estimates to the homes, in metres, ascending; as many as there are estimates.
    package let errors: [Double]
    /// From the estimates to the published centres, ascending: how well the attack was done.
    package let missesOfCentre: [Double]
    /// How many victims the attack came nearer to than the floor.
    package let withinFloor: Int
    /// How many that should be by chance.
    package let expectedByChance: Double
    /// How likely so many are by chance.
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
            // A floor beyond the published centre is not missed by luck: the server itself tells more.
            guard home.place.distance(to: home.published).metres >= floor else { return 0.0 }
            return Double((home.images + [home.place]).filter { place.distance(to: $0).metres < floor }.count)
                / Double(home.images.count + 1)
        }
        self.withinFloor = errors.filter { $0 < floor }.count
        self.expectedByChance = chances.reduce(0, +)
        self.likelihood = Self.likelihood(ofAtLeast: withinFloor, chances)
    }

    /// No victim was found nearer than chance has it; by who may not see them, none was found at all.
    package var holds: Bool {
        guard mayLocate else { return errors.isEmpty }
        return withinFloor == 0 || likelihood >= Self.significance
    }

    package var least: Double? { errors.first }
    package var median: Double? { Self.quantile(0.5, of: errors) }
    package var fifthPercentile: Double? { Self.quantile(0.05, of: errors) }
    package var medianMissOfCentre: Double? { Self.quantile(0.5, of: missesOfCentre) }

    private static func quantile(_ share: Double, of sorted: [Double]) -> Double? {
        guard let last = sorted.indices.last else { return nil }
        return sorted[Int((Double(last) * share).rounded())]
    }

    /// The tail of the sum of independent events, each with its own probability.
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
