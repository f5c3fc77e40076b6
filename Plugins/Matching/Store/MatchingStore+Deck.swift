import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

// The deck over SpatiaLite's R-tree, the reference for the hot index. Rings of growing radius around the viewer each read only
// what the previous ring did not. The search ends when nobody outside can be among the best, or when the ring reaches the
// viewer's limit.
//
// The search is exact: it ends only when the worst of the best scores more than anybody beyond the radius could with every other
// trait perfect. The boxes are larger than the circle; a person in a corner is scored like everybody else.

extension SpatiaLiteMatchingStore {
    func ranking(for query: DeckQuery, standing: ViewerRelations?) async throws -> Ranking {
        try await storage.read { try Self.ranking(for: query, standing: standing, in: $0) }
    }

    static func ranking(for query: DeckQuery, standing: ViewerRelations?, in session: SQLSession) throws -> Ranking {
        let people = CandidateReader(session: session, today: query.now.date)
        guard let viewer = try people.candidate(query.viewer) else { throw EdgeError.notFound }
        guard let place = viewer.place else { throw MatchingError.locationRequired }
        let standing =
            try standing ?? ViewerRelations(of: viewer.id, at: query.now, skipLifetime: query.skipLifetime, in: session)
        return try rank(query, viewer, place, standing, query.scorer, in: session)
    }

    private static func rank(
        _ query: DeckQuery, _ viewer: Candidate, _ place: Coordinate, _ standing: ViewerRelations,
        _ scoring: some CandidateScoring,
        in session: SQLSession
    ) throws -> Ranking {
        var search = RingSearch(
            session: session, query: query, viewer: viewer, place: place, standing: standing,
            scale: scoring.scale(for: viewer, at: query.now))
        var found: (stage: DeckStage, ranks: [DeckRank]) = (.anywhere, [])
        if !viewer.isPaused, !viewer.isClosed {
            for stage in DeckStage.allCases where found.ranks.isEmpty { found = (stage, try search.best(at: stage)) }
        }
        return Ranking(
            stage: found.stage, ranks: found.ranks, isComplete: found.ranks.count < query.limit, place: place,
            interestedIn: viewer.preferences.interestedIn, reach: search.reach, day: query.now.date,
            validUntil: standing.validUntil)
    }

    func standing(of user: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> ViewerRelations {
        try await storage.read { try ViewerRelations(of: user, at: now, skipLifetime: skipLifetime, in: $0) }
    }
}

/// The search for one deck in one snapshot.
private struct RingSearch<Scale: ScoreScale> {
    private let firstRadius = Distance.kilometres(2)
    /// Beyond this, reading everybody in turn is cheaper than asking the R-tree for most of them.
    private let widestRing = Distance.kilometres(1_000)

    let session: SQLSession
    let query: DeckQuery
    let viewer: Candidate
    let place: Coordinate
    let standing: ViewerRelations
    let scale: Scale
    /// How far the stages have searched.
    private(set) var reach = SearchReach.nowhere

    init(
        session: SQLSession, query: DeckQuery, viewer: Candidate, place: Coordinate, standing: ViewerRelations, scale: Scale
    ) {
        self.session = session
        self.query = query
        self.viewer = viewer
        self.place = place
        self.standing = standing
        self.scale = scale
    }

    /// The best candidates of a stage, best first.
    mutating func best(at stage: DeckStage) throws -> [DeckRank] {
        let filter = TwoWayFilter(viewer: viewer, stage: stage, activeSince: query.activeSince)
        let outermost = viewer.reach(at: stage)
        var best = BestCandidates(limit: query.limit)
        var (radius, inner) = (firstRadius, [Envelope]())
        while true {
            if let outermost, radius >= outermost { radius = outermost }
            if radius > widestRing {
                reach = .everywhere
                // People of earlier rings appear again, which changes nothing.
                try weigh(CandidateReader.anywhere, arguments(nil, at: stage), filter: filter, best: &best)
                return best.ranks
            }
            extend(to: radius)
            let ring = Envelope.covering(place, radius: radius)
            for box in ring {
                try weigh(CandidateReader.inBox, arguments(box, without: inner, at: stage), filter: filter, best: &best)
            }
            if radius == outermost { return best.ranks }
            let ceiling = scale.ceiling(TraitLimits(metres: radius.metres, sharedInterests: viewer.interests.count))
            // Equal scores are ordered by a hash, so an equal candidate outside could still come before the last one.
            if let threshold = best.threshold, threshold > ceiling { return best.ranks }
            inner = ring
            radius = Distance(metres: radius.metres * 2)
        }
    }

    private mutating func extend(to radius: Distance) { reach = max(reach, .within(radius)) }

    /// Offers everybody that a query finds and the filter accepts.
    private func weigh(_ sql: String, _ arguments: [SQLValue], filter: TwoWayFilter, best: inout BestCandidates) throws {
        try session.statement(sql).forEach(arguments) { row in
            let id = row.integer(0)
            guard !standing.excludes(id), let candidate = CandidateReader.candidate(row, today: today),
                filter.suits(candidate, hasLikedViewer: standing.isLiked(by: id)), let theirs = candidate.place
            else { return true }
            let distance = place.distance(to: theirs)
            guard filter.reaches(candidate, at: distance) else { return true }
            func score(_ shared: Int) -> Int {
                scale.score(
                    CandidateTraits(
                        candidate, metres: distance.metres, sharedInterests: shared, likesViewer: standing.isLiked(by: id),
                        at: query.now))
            }
            // Interests must be parsed, so only candidates that could be among the best with all interests shared are checked.
            if let threshold = best.threshold, score(viewer.interests.count) < threshold { return true }
            let shared = viewer.interests.isEmpty ? 0 : InterestCode.shared(viewer.interests, CandidateReader.interests(row))
            best.offer(DeckRank(score: score(shared), candidate: candidate.id, version: candidate.version, viewer: viewer.id))
            return true
        }
    }

    private var today: CivilDate { query.now.date }

    /// The coarse filter that SQLite applies before a row is read. Never narrower than the real filter.
    private func arguments(_ box: Envelope?, without inner: [Envelope] = [], at stage: DeckStage) -> [SQLValue] {
        var born: ClosedRange<Int64> = .min ... .max
        if let slack = viewer.ageSlack(at: stage) {
            let youngest = today.adding(years: -(viewer.preferences.minAge - slack)).daysSinceEpoch + 2
            let oldest = today.adding(years: -(viewer.preferences.maxAge + slack + 1)).daysSinceEpoch - 2
            born = min(oldest, youngest)...max(oldest, youngest)
        }
        return bounds(of: box) + bounds(of: inner.first) + bounds(of: inner.dropFirst().first) + [
            .integer(query.activeSince.flooredToSeconds.milliseconds), .integer(Int64(viewer.preferences.interestedIn.rawValue)),
            .integer(Int64(viewer.gender.rawValue)), .integer(born.lowerBound), .integer(born.upperBound),
        ]
    }

    /// The bounds of a box; an absent box contains nobody.
    private func bounds(of box: Envelope?) -> [SQLValue] {
        guard let box else { return [.real(1_000), .real(-1_000), .real(1_000), .real(-1_000)] }
        return [.real(box.minLongitude), .real(box.maxLongitude), .real(box.minLatitude), .real(box.maxLatitude)]
    }
}
