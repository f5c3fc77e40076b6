import SparkCore
import SparkDecks
import SparkKit

/// Makes rankings: from the hot index, or from the R-tree while there is no index.
struct Rankings: Sendable {
    let store: any MatchingStore
    let feed: DeckIndexSync
    let profiles: any ProfileReading

    /// The best candidates of a viewer.
    /// - Throws: `MatchingError.locationRequired`, `EdgeError.notFound`.
    func ranking(for query: DeckQuery, standing: ViewerRelations) async throws -> Ranking {
        guard let index = feed.index else { return try await store.ranking(for: query, standing: standing) }
        if let ranking = Self.ranking(for: query, standing: standing, from: index) { return ranking }
        return try await empty(query, standing)
    }

    /// Nil for a viewer who is not in the index.
    static func ranking(for query: DeckQuery, standing: ViewerRelations, from index: DeckIndex) -> Ranking? {
        guard let viewer = index.person(query.viewer) else { return nil }
        let candidate = viewer.row.candidate(on: index.ages(on: query.now.date), interests: viewer.interests)
        guard let place = candidate.place else { return nil }
        let found = index.best(
            CandidateQuery(
                viewer: candidate, excluded: standing.excluded, likers: standing.likers, limit: query.limit, now: query.now,
                activeSince: query.activeSince, scoring: query.scorer))
        return Ranking(
            stage: found.stage, ranks: found.ranks, isComplete: found.ranks.count < query.limit, place: place,
            interestedIn: candidate.preferences.interestedIn, reach: found.reach, day: query.now.date,
            validUntil: standing.validUntil)
    }

    /// The empty ranking of a viewer who is paused or closed.
    private func empty(_ query: DeckQuery, _ standing: ViewerRelations) async throws -> Ranking {
        guard let profile = try await profiles.profile(of: query.viewer) else { throw EdgeError.notFound }
        guard let place = profile.place else { throw MatchingError.locationRequired }
        // The viewer was added to the index in the meantime.
        guard profile.visibility.isPaused || profile.isClosed else {
            return try await store.ranking(for: query, standing: standing)
        }
        return Ranking(
            stage: .anywhere, ranks: [], isComplete: true, place: place, interestedIn: profile.preferences.interestedIn,
            reach: .nowhere, day: query.now.date, validUntil: standing.validUntil)
    }
}
