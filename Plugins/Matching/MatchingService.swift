import SparkCore
import SparkDecks
import SparkKit

/// The operations of Matching.
struct MatchingService: Sendable {
    let configuration: MatchingConfiguration
    let store: any MatchingStore
    let profiles: any ProfileReading
    let dealer: DeckService
    let lists: MatchLists
    let exposure: ExposureLog
    let clock: any WallClock
    let metrics: MatchingMetrics

    /// The best candidates for a user.
    /// - Throws: `MatchingError.locationRequired`.
    func suggestions(for user: UserID, limit: Int) async throws -> DeckAnswer {
        let start = ContinuousClock.now
        let deck = try await dealer.deck(for: user, limit: limit)
        metrics.dealt(deck, in: ContinuousClock.now - start)
        exposure.record(deck.ranks.lazy.map(\.id), to: user)
        return deck
    }

    /// How many people each filter removes from the user's deck.
    /// - Throws: `MatchingError.locationRequired`, `MatchingError.notReady`.
    func reasons(for user: UserID) async throws -> DeckReasons {
        guard let profile = try await profiles.profile(of: user) else { throw EdgeError.notFound }
        guard profile.place != nil else { throw MatchingError.locationRequired }
        guard let index = dealer.rankings.feed.index else { throw MatchingError.notReady }
        let standing = try await dealer.standings.standing(of: user)
        guard let viewer = index.person(user) else { return DeckReasons(census: DeckCensus(), preferences: profile.preferences) }
        let now = clock.now()
        var query = CandidateQuery(
            viewer: viewer.row.candidate(on: index.ages(on: now.date), interests: []), excluded: standing.excluded,
            likers: standing.likers, limit: 1, now: now, activeSince: now.activeSince(days: configuration.activeDays),
            scoring: configuration.scorer)
        query.uncounted = standing.uncounted
        return DeckReasons(census: index.census(query), preferences: profile.preferences)
    }

    /// Records a swipe.
    /// - Returns: the pair's live match, if there is one now.
    /// - Throws: `MatchingError`; `EdgeError.notFound` for a target that the user may not see.
    func swipe(_ swipe: Swipe) async throws -> MatchView? {
        guard swipe.user != swipe.target else { throw MatchingError.selfTarget }
        let start = ContinuousClock.now
        let outcome = try await store.swipe(swipe, rules: configuration.swipes)
        metrics.swiped(swipe.action, outcome, in: ContinuousClock.now - start)
        guard let match = outcome.match else { return nil }
        // The match was made before the other account closed, so it is shown even if that account is closed now.
        guard let other = try await profiles.writtenProfile(of: match.other) else { throw EdgeError.notFound }
        let viewerPlace = try await place(of: swipe.user)
        return MatchView(match: match, card: ProfileCard(other, viewerPlace: viewerPlace, today: clock.now().date))
    }

    func undoLastSwipe(of user: UserID) async throws -> Swipe {
        try await store.undoLastSwipe(of: user, rules: configuration.swipes)
    }

    func matches(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<MatchView> {
        let page = try await lists.page(of: user, after: position, limit: limit)
        let cards = try await cards(of: page.items.map(\.other), for: user)
        return Page(
            items: page.items.compactMap { match in cards[match.other].map { MatchView(match: match, card: $0) } },
            next: page.next)
    }

    func unmatch(_ match: MatchID, by user: UserID) async throws {
        try await store.endMatch(match, by: user)
    }

    func likes(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<LikeView> {
        let page = try await store.likes(
            of: user, after: position, limit: limit, at: clock.now(), skipLifetime: configuration.swipes.skipLifetime)
        let cards = try await cards(of: page.items.map(\.from), for: user)
        return Page(
            items: page.items.compactMap { like in cards[like.from].map { LikeView(like: like, card: $0) } }, next: page.next)
    }

    /// The person that a block or report names.
    /// - Throws: `EdgeError.notFound` for a conversation in which the user never was.
    func person(_ counterpart: Counterpart, for user: UserID) async throws -> UserID {
        switch counterpart {
        case .person(let target): target
        case .conversation(let conversation): try await store.counterpart(of: user, in: conversation)
        }
    }

    func block(_ target: UserID, by user: UserID) async throws {
        guard user != target else { throw MatchingError.selfTarget }
        try await store.block(target, by: user)
    }

    func unblock(_ target: UserID, by user: UserID) async throws {
        guard user != target else { throw MatchingError.selfTarget }
        try await store.unblock(target, by: user)
    }

    func blocks(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Block> {
        try await store.blocks(of: user, after: position, limit: limit)
    }

    func report(_ report: Report) async throws -> ReportID {
        guard report.reporter != report.target else { throw MatchingError.selfTarget }
        let id = try await store.add(report)
        metrics.reported(report.category)
        return id
    }

    /// The profile cards of the users with open accounts, by user.
    private func cards(of users: [UserID], for viewer: UserID) async throws -> [UserID: ProfileCard] {
        guard !users.isEmpty else { return [:] }
        let (viewerPlace, today) = (try await place(of: viewer), clock.now().date)
        let found = try await profiles.profiles(of: users)
        return Dictionary(
            found.map { ($0.id, ProfileCard($0, viewerPlace: viewerPlace, today: today)) }, uniquingKeysWith: { $1 })
    }

    private func place(of user: UserID) async throws -> Coordinate? {
        try await profiles.writtenProfile(of: user)?.profile.place
    }
}
