import SparkCore
import SparkDecks

/// People of a crowd who request a deck, with their swipes so far: 0 to 30,000 people, all of their own city.
struct Probes {
    /// The number of swipes; each is equally common.
    private static let swipes = [0, 0, 30, 300, 300, 1_000, 3_000, 30_000]

    /// People who were last active before are in no deck.
    static let activeSince = Crowd.now - .days(30)
    static let nearestLimit = 50

    private(set) var queries: [CandidateQuery] = []

    /// The viewers who request the 50 nearest.
    static func nearest(_ crowd: Crowd, count: Int) -> Probes {
        Probes(crowd, count: count, seed: 2, scoring: NearestFirst(), limit: nearestLimit)
    }

    /// - Parameters:
    ///   - city: of a certain rank; of any if nil.
    ///   - stages: how far limits may be loosened.
    init(
        _ crowd: Crowd, count: Int, seed: UInt64, scoring: any CandidateScoring, limit: Int, city: Int? = nil,
        stages: [DeckStage] = [.nearby]
    ) {
        var dice = Dice(seed: seed)
        let ages = AgeCalendar(today: Crowd.now.date)
        let rows = crowd.people.rows
        let cityOf = city == nil ? crowd.cityOfPerson : []
        queries = (0..<count).map { _ in
            let town = city.map { crowd.cities[$0] }
            let viewer = town.map { $0[dice.below($0.count)] } ?? dice.below(rows.count)
            let neighbours = town ?? crowd.cities[Int(cityOf[viewer])]
            let candidate = rows[viewer].candidate(on: ages, interests: crowd.people.interests(of: viewer))
            var swiped: [Int64] = []
            let wanted = Self.swipes[dice.below(Self.swipes.count)]
            var tries = 0
            while swiped.count < wanted, tries < 3 * wanted {
                tries += 1
                let other = rows[neighbours[dice.below(neighbours.count)]]
                if candidate.preferences.interestedIn.contains(other.gender) { swiped.append(other.id) }
            }
            var query = CandidateQuery(
                viewer: candidate, excluded: IdentifierSet(swiped), likers: IdentifierSet([]), limit: limit, now: Crowd.now,
                activeSince: Self.activeSince, scoring: scoring)
            query.stages = stages
            return query
        }
    }
}

extension Crowd {
    fileprivate var cityOfPerson: [UInt8] {
        var cityOf = [UInt8](repeating: 0, count: people.rows.count)
        for (city, members) in cities.enumerated() { for member in members { cityOf[member] = UInt8(city) } }
        return cityOf
    }

    /// The answer of a full scan, by the rules alone.
    func bruteForce(_ query: CandidateQuery) -> [DeckRank] { ranks(query, scoring: query.scoring) }

    private func ranks(_ query: CandidateQuery, scoring: some CandidateScoring) -> [DeckRank] {
        let scale = scoring.scale(for: query.viewer, at: query.now)
        let ages = AgeCalendar(today: query.now.date)
        guard let here = query.viewer.place else { return [] }
        for stage in query.stages {
            let filter = TwoWayFilter(viewer: query.viewer, stage: stage, activeSince: query.activeSince)
            var best = BestCandidates(limit: query.limit)
            for (number, row) in people.rows.enumerated() where query.viewer.preferences.interestedIn.contains(row.gender) {
                let isLiker = query.likers.contains(row.id)
                let candidate = row.candidate(on: ages, interests: [])
                guard filter.suits(candidate, hasLikedViewer: isLiker), !query.excluded.contains(row.id),
                    let there = candidate.place
                else { continue }
                let distance = here.distance(to: there)
                guard filter.reaches(candidate, at: distance) else { continue }
                let shared = InterestCode.shared(query.viewer.interests, people.interests(of: number))
                let traits = CandidateTraits(
                    candidate, metres: distance.metres, sharedInterests: shared, likesViewer: isLiker, at: query.now)
                best.offer(
                    DeckRank(
                        score: scale.score(traits), candidate: candidate.id, version: candidate.version, viewer: query.viewer.id))
            }
            if !best.ranks.isEmpty { return best.ranks }
        }
        return []
    }
}
