import SparkCore

@testable import SparkDecks

/// A few people at odd places with odd preferences, drawn from a seed, and the answer of a full scan.
struct SmallWorld {
    static let now = Timestamp(milliseconds: 1_772_366_400_123)
    private(set) var people: [Int64: IndexedPerson] = [:]
    private var random: SeededRandomSource
    private var nextID: Int64 = 1
    private let places: [Coordinate]

    init(seed: UInt64) {
        self.random = SeededRandomSource(seed: seed)
        let centres: [(Double, Double)] = [
            (52.5, 13.4), (89.9, 0), (-89.95, 120), (0, 179.98), (10, -179.99), (0, 0), (-33.9, 151.2), (78.2, 15.6),
        ]
        let centre = centres[Int(random.next() % UInt64(centres.count))]
        let spread = [0.0, 0.01, 0.3, 5, 60][Int(random.next() % 5)]
        let grid = CellGrid(size: .kilometres(1))
        let source = random
        self.places = (0..<(1 + Int(source.next() % 12))).compactMap { _ in
            let latitude = min(90, max(-90, centre.0 + (Double(source.next() % 2_001) / 1_000 - 1) * spread))
            var longitude = centre.1 + (Double(source.next() % 2_001) / 1_000 - 1) * spread * 2
            if longitude >= 180 { longitude -= 360 }
            if longitude < -180 { longitude += 360 }
            return Coordinate(latitude: latitude, longitude: longitude).map(grid.snap) ?? Coordinate(latitude: 0, longitude: 0)
        }
    }

    mutating func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    mutating func newcomer() -> IndexedPerson {
        defer { nextID += 1 }
        return person(nextID &* 7_919_000_003)
    }

    mutating func person(_ id: Int64) -> IndexedPerson {
        let minAge = 18 + draw(30)
        let place = places[draw(places.count)]
        let birth =
            CivilDate(year: 1926 + draw(82), month: 2 + draw(2), day: 26 + draw(3)) ?? CivilDate(daysSinceEpoch: 9_131)
        let preferences = Preferences(
            interestedIn: GenderSet(rawValue: UInt8(1 + draw(7))), minAge: minAge, maxAge: min(120, minAge + draw(60)),
            maxDistanceKilometres: [1, 3, 30, 200, 20_000][draw(5)], isAgeHard: draw(2) == 0, isDistanceHard: draw(2) == 0)
        let row = PersonRow(
            id: UserID(rawValue: id), birth: BirthDay(birth), gender: Gender.allCases[draw(3)], preferences: preferences,
            isIncognito: draw(6) == 0, hidesDistance: draw(6) == 0,
            lastActive: EpochSecond(Self.now - .seconds(draw(40 * 86_400))), place: place, version: Int64(draw(100)),
            counts: counts())
        let interests = (0..<draw(13)).map { InterestCode(rawValue: UInt32($0 * 3 + draw(3))) }
        return IndexedPerson(row: row, interests: interests)
    }

    /// Of today, yesterday, before, or of tomorrow, after the clock was set back.
    mutating func counts() -> DailyCounts {
        func tally() -> SwipeTally { SwipeTally(giving: UInt8(draw(8)), receiving: UInt8(draw(8))) }
        return DailyCounts(
            day: Self.now.dayNumber + 1 - UInt16(draw(4)), tallyBefore: tally(), tally: tally(), shownBefore: UInt8(draw(40)),
            shown: UInt8(draw(40)))
    }

    mutating func put(_ person: IndexedPerson) { people[person.row.id] = person }
    mutating func remove(_ id: Int64) { people[id] = nil }

    var identifiers: [Int64] { people.keys.sorted() }

    mutating func query(_ viewer: Int64, scoring: any CandidateScoring) -> CandidateQuery? {
        guard let person = people[viewer] else { return nil }
        let known = identifiers
        let excluded = known.filter { _ in draw(8) == 0 }
        let likers = known.filter { _ in draw(6) == 0 }
        return CandidateQuery(
            viewer: person.row.candidate(on: AgeCalendar(today: Self.now.date), interests: person.interests),
            excluded: IdentifierSet(excluded), likers: IdentifierSet(likers), limit: 1 + draw(12), now: Self.now,
            activeSince: Self.now.activeSince(days: 30), scoring: scoring)
    }

    /// By the rules alone, one person after the other.
    func bruteForce(_ query: CandidateQuery) -> (stage: DeckStage, ranks: [DeckRank]) { ranks(query, scoring: query.scoring) }

    private func ranks(_ query: CandidateQuery, scoring: some CandidateScoring) -> (stage: DeckStage, ranks: [DeckRank]) {
        let scale = scoring.scale(for: query.viewer, at: query.now)
        let today = query.now.date
        for stage in query.stages {
            let filter = TwoWayFilter(viewer: query.viewer, stage: stage, activeSince: query.activeSince)
            let ranks = people.values.compactMap { person -> DeckRank? in
                var candidate = person.row.candidate(on: AgeCalendar(today: today), interests: person.interests)
                candidate.age = person.row.birth.date.age(on: today)
                let isLiker = query.likers.contains(person.row.id)
                guard !query.excluded.contains(person.row.id), filter.suits(candidate, hasLikedViewer: isLiker),
                    let (here, there) = query.viewer.place.flatMap({ here in candidate.place.map { (here, $0) } })
                else { return nil }
                let distance = here.distance(to: there)
                guard filter.reaches(candidate, at: distance) else { return nil }
                let traits = CandidateTraits(
                    candidate, metres: distance.metres,
                    sharedInterests: InterestCode.shared(query.viewer.interests, candidate.interests), likesViewer: isLiker,
                    at: query.now)
                return DeckRank(
                    score: scale.score(traits), candidate: candidate.id, version: candidate.version, viewer: query.viewer.id)
            }
            if !ranks.isEmpty { return (stage, Array(ranks.sorted().prefix(query.limit))) }
        }
        return (.anywhere, [])
    }
}
