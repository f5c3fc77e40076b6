import Foundation
import SparkCore
import SparkDecks

/// People of a crowd who request a deck, with their swipes so far: 0 to 30,000 people, all of their own city.
struct Probes {
    /// The number of swipes; each is equally common.
    private static let swipes = [0, 0, 30, 300, 300, 1_000, 3_000, most]
    private static let most = 30_000

    /// People who were last active before are in no deck.
    static let activeSince = Crowd.now - .days(30)
    static let nearestLimit = 50

    private(set) var queries: [CandidateQuery] = []

    /// The viewers who request the 50 nearest.
    static func nearest(_ crowd: Crowd, count: Int) -> Probes {
        Probes(crowd, count: count, seed: 2, scoring: NearestFirst(), limit: nearestLimit)
    }

    /// Viewers who have swiped everybody around them: the nearest people of the genders that they seek in their city, at most 30,000.
    /// They request a ranking for a deck, through all stages.
    static func exhausted(_ crowd: Crowd, count: Int, scoring: any CandidateScoring) -> Probes {
        var dice = Dice(seed: 7)
        let (rows, cityOf) = (crowd.people.rows, crowd.cityOfPerson)
        let queries = (0..<count).map { _ in
            let viewer = dice.below(rows.count)
            let sought = rows[viewer].interestedIn
            var around = crowd.cities[Int(cityOf[viewer])].filter { $0 != viewer && sought.contains(rows[$0].gender) }
            if around.count > most {
                let here = rows[viewer]
                let scale = cos(here.latitude * .pi / 180)
                func square(_ other: PersonRow) -> Double {
                    let (rise, turn) = (other.latitude - here.latitude, (other.longitude - here.longitude) * scale)
                    return rise * rise + turn * turn
                }
                around = around.map { (square(rows[$0]), $0) }.sorted { $0 < $1 }.prefix(most).map(\.1)
            }
            return query(
                viewer, crowd, swiped: around.map { rows[$0].id }, limit: 128, scoring: scoring, stages: DeckStage.allCases)
        }
        return Probes(queries: queries)
    }

    private init(queries: [CandidateQuery]) { self.queries = queries }

    /// - Parameters:
    ///   - city: of a certain rank; of any if nil.
    ///   - stages: how far limits may be loosened.
    init(
        _ crowd: Crowd, count: Int, seed: UInt64, scoring: any CandidateScoring, limit: Int, city: Int? = nil,
        stages: [DeckStage] = [.nearby]
    ) {
        var dice = Dice(seed: seed)
        let rows = crowd.people.rows
        let cityOf = city == nil ? crowd.cityOfPerson : []
        queries = (0..<count).map { _ in
            let town = city.map { crowd.cities[$0] }
            let viewer = town.map { $0[dice.below($0.count)] } ?? dice.below(rows.count)
            let neighbours = town ?? crowd.cities[Int(cityOf[viewer])]
            var swiped: [Int64] = []
            let wanted = Self.swipes[dice.below(Self.swipes.count)]
            var tries = 0
            while swiped.count < wanted, tries < 3 * wanted {
                tries += 1
                let other = rows[neighbours[dice.below(neighbours.count)]]
                if rows[viewer].interestedIn.contains(other.gender) { swiped.append(other.id) }
            }
            return Self.query(viewer, crowd, swiped: swiped, limit: limit, scoring: scoring, stages: stages)
        }
    }

    private static func query(
        _ viewer: Int, _ crowd: Crowd, swiped: [Int64], limit: Int, scoring: any CandidateScoring, stages: [DeckStage]
    ) -> CandidateQuery {
        let ages = AgeCalendar(today: Crowd.now.date)
        var query = CandidateQuery(
            viewer: crowd.people.rows[viewer].candidate(on: ages, interests: crowd.people.interests(of: viewer)),
            excluded: IdentifierSet(swiped), likers: IdentifierSet([]), limit: limit, now: Crowd.now,
            activeSince: activeSince, scoring: scoring)
        query.stages = stages
        return query
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
