import SparkCore

@testable import SparkMatching

/// Random worlds, small enough for a full scan and odd enough to find faults.
struct RandomWorld {
    /// The places of the people of a world.
    enum Terrain: CaseIterable {
        /// All at one place.
        case oneCell
        case town
        case country
        case northPole
        case southPole
        case antimeridian
        case globe
    }

    let now: Timestamp
    var chance: SplitMix64

    init(seed: UInt64, now: Timestamp) {
        self.now = now
        self.chance = SplitMix64(seed: seed)
    }

    mutating func world(people range: ClosedRange<Int> = 5...80, isPlain: Bool = false) -> World {
        let terrain = Terrain.allCases[pick(Terrain.allCases.count)]
        let grid = CellGrid(size: .kilometres(1))
        var world = World()
        let count = range.lowerBound + pick(range.upperBound - range.lowerBound + 1)
        for index in 0..<count {
            // Sparse identifiers over a wide range, so that their order has no meaning.
            let id = Int64(SplitMix64.mix(UInt64(index) &+ chance.next()) >> 2) + 1
            world.people.append(person(id, at: place(on: terrain).map(grid.snap), isPlain: isPlain))
        }
        if !isPlain { entangle(&world) }
        return world
    }

    private mutating func person(_ id: Int64, at place: Coordinate?, isPlain: Bool) -> WorldPerson {
        var person = WorldPerson(id: id, lastActiveAt: now - .milliseconds(pick(29 * 86_400_000)), place: place)
        person.birthDate = CivilDate(daysSinceEpoch: now.date.daysSinceEpoch - Int64(18 * 366 + pick(40 * 365)))
        person.gender = Gender.allCases[pick(3)]
        person.interestedIn = happens(60) ? .everyone : GenderSet(rawValue: UInt8(1 + pick(7)))
        let low = 18 + pick(25)
        (person.minAge, person.maxAge) = happens(50) ? (18, 120) : (low, min(120, low + pick(30)))
        person.maxDistanceKilometres = [1, 2, 5, 20, 100, 800, 1_000, 3_000, 20_000][pick(9)]
        (person.isAgeHard, person.isDistanceHard) = isPlain ? (true, true) : (happens(50), happens(50))
        person.interests = (0..<pick(8)).map { _ in "interest \(pick(12))" }
        person.hidesDistance = happens(20)
        guard !isPlain else { return person }
        person.isPaused = happens(5)
        person.isIncognito = happens(15)
        person.isClosed = happens(5)
        if happens(8) { person.place = nil }
        if happens(10) { person.lastActiveAt = now.date.startOfDay - .days([1, 7, 30][pick(3)]) - .milliseconds(pick(3) - 1) }
        if happens(5) { person.lastActiveAt = now + .seconds(60) }
        return person
    }

    private mutating func place(on terrain: Terrain) -> Coordinate? {
        switch terrain {
        case .oneCell: Coordinate(latitude: 48.8566, longitude: 2.3522)
        case .town: near(latitude: 48.8566, longitude: 2.3522, spread: 0.2)
        case .country: near(latitude: 48.8566, longitude: 2.3522, spread: 5)
        case .northPole: Coordinate(latitude: 90 - fraction() * 0.5, longitude: fraction() * 360 - 180)
        case .southPole: Coordinate(latitude: -90 + fraction() * 2, longitude: fraction() * 360 - 180)
        case .antimeridian: near(latitude: -17.7, longitude: 180, spread: 1.5)
        case .globe: Coordinate(latitude: fraction() * 180 - 90, longitude: fraction() * 360 - 180)
        }
    }

    private mutating func near(latitude: Double, longitude: Double, spread: Double) -> Coordinate? {
        let east = longitude + (fraction() - 0.5) * spread
        return Coordinate(
            latitude: latitude + (fraction() - 0.5) * spread, longitude: east > 180 ? east - 360 : east)
    }

    private mutating func entangle(_ world: inout World) {
        let ids = world.people.map(\.id)
        var pairs = Set<WorldPair>()
        for _ in 0..<pick(ids.count * 4) {
            let pair = WorldPair(a: ids[pick(ids.count)], b: ids[pick(ids.count)])
            guard pair.a != pair.b, pairs.insert(pair).inserted else { continue }
            // Around the end of skips, and around the last midnight.
            let age = [0, 1, 43_199_999, 43_200_000, 43_200_001, 86_399_999, 86_400_000, 86_400_001, 90_000_000][pick(9)]
            world.swipes.append(
                WorldSwipe(
                    user: pair.a, target: pair.b, action: SwipeAction.allCases[pick(4)], at: now - .milliseconds(age)))
        }
        for _ in 0..<pick(4) {
            let pair = WorldPair(a: ids[pick(ids.count)], b: ids[pick(ids.count)])
            if pair.a != pair.b, !world.blocks.contains(pair) { world.blocks.append(pair) }
        }
        for _ in 0..<pick(4) {
            let (a, b) = (ids[pick(ids.count)], ids[pick(ids.count)])
            let pair = WorldPair(a: min(a, b), b: max(a, b))
            if a != b, !world.matches.contains(where: { $0.pair == pair }) { world.matches.append((pair, happens(50))) }
        }
    }

    mutating func pick(_ count: Int) -> Int { count <= 1 ? 0 : Int(chance.next() % UInt64(count)) }
    mutating func happens(_ percent: Int) -> Bool { pick(100) < percent }
    private mutating func fraction() -> Double { Double(chance.next() >> 11) / Double(1 << 53) }
}
