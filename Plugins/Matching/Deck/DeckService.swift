import SparkCache
import SparkCore
import SparkDecks
import SparkKit

/// Deals decks from rankings in the cache, each as if it had been made for this request.
///
/// A ranking holds more people than a deck, by identifier, score and version. What makes it old, and what does not:
///
/// - Who swipes, blocks or matches only takes people out of the ranking: they are left out while dealing, and the rest is as good as
///   before. So a person swipes through a whole ranking before another is made.
/// - A candidate who changed, moved, paused or left has another version, or is not there: the ranking is made anew.
/// - Somebody else may come in, or to the front, by a change of their own: then it lies within the circle that was looked at, and
///   the regions that cover the circle are the ranking's tags. Beyond the circle nobody can score enough.
/// - Somebody comes in by what is between the two (an undone swipe, a block that is lifted): tag `deck`.
/// - Somebody passes on the viewer, or takes a pass back: nothing, until the day changes. Otherwise the deck would tell it.
/// - The viewer changed: tag `user`. The day changed, and with it ages: the ranking knows its day.
/// - A skip of the viewer runs out, and somebody comes back: the ranking knows when.
/// - People are active or like the viewer, which moves scores a little: for this the lifetime is short.
struct DeckService: Sendable {
    /// People in a ranking at most; not below the longest deck.
    static let depth = 128
    /// Rankings made for one deck, while people in it change.
    private static let attempts = 4

    /// Two minutes: bounds how long a change without an event stays unseen. Too short for the disk.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("matches:suggestions", lifetime: .minutes(2))
        policy.isSpilled = false
        policy.isPrefetched = true
        return policy
    }

    let rankings: Rankings
    let profiles: any ProfileReading
    let standings: RelationsCache
    let clock: any WallClock
    let configuration: MatchingConfiguration
    let namespace: CacheNamespace<UserID, Ranking>

    init(
        configuration: MatchingConfiguration, store: any MatchingStore, rankings: Rankings, profiles: any ProfileReading,
        context: ModuleContext
    ) throws {
        self.init(
            rankings: rankings, profiles: profiles,
            standings: try RelationsCache(store: store, skipLifetime: configuration.swipes.skipLifetime, context: context),
            clock: context.clock, configuration: configuration, namespace: try context.namespace(Self.policy))
        // Who comes finds their deck ready. The namespace keeps this, so this does not keep the namespace.
        let (standings, clock) = (standings, clock)
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let dealer = DeckService(
                rankings: rankings, profiles: profiles, standings: standings, clock: clock, configuration: configuration,
                namespace: namespace)
            // Best effort: who asks next makes it. Who has no place has none.
            _ = try? await dealer.ranking(for: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }

    private init(
        rankings: Rankings, profiles: any ProfileReading, standings: RelationsCache, clock: any WallClock,
        configuration: MatchingConfiguration, namespace: CacheNamespace<UserID, Ranking>
    ) {
        self.rankings = rankings
        self.profiles = profiles
        self.standings = standings
        self.clock = clock
        self.configuration = configuration
        self.namespace = namespace
    }

    /// - Throws: `MatchingError.locationRequired`, `EdgeError.notFound`.
    func deck(for viewer: UserID, limit: Int) async throws -> Deck {
        precondition(limit <= Self.depth)
        for _ in 0..<Self.attempts {
            let standing = try await standings.standing(of: viewer)
            let ranking = try await ranking(for: viewer)
            if let deck = try await deal(ranking, standing: standing, limit: limit) { return deck }
            namespace.remove(viewer)
        }
        // People in it change faster than rankings are made; those who do are left out.
        let standing = try await standings.standing(of: viewer)
        let ranking = try await rankings.ranking(for: query(viewer), standing: standing)
        return try await deck(ranking.ranks.prefix(limit), of: ranking)
    }

    /// The front of a ranking, without those who are excluded by now; nil if it cannot be told from this ranking.
    private func deal(_ ranking: Ranking, standing: ViewerRelations, limit: Int) async throws -> Deck? {
        let now = clock.now()
        guard ranking.day == now.date, now < ranking.validUntil else { return nil }
        let left = ranking.ranks.lazy.filter { !standing.excludes($0.id.rawValue) }.prefix(limit)
        let front = Array(left)
        // Of a stage that has run dry, the next one is due.
        guard !front.isEmpty || ranking.ranks.isEmpty, front.count == limit || ranking.isComplete else { return nil }
        let deck = try await deck(front[...], of: ranking)
        return deck.suggestions.count == front.count ? deck : nil
    }

    /// Those of the ranks who are as they were ranked.
    private func deck(_ ranks: ArraySlice<DeckRank>, of ranking: Ranking) async throws -> Deck {
        let found = try await profiles.profiles(of: ranks.map(\.id))
        let people = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let suggestions = ranks.compactMap { rank -> Suggestion? in
            guard let profile = people[rank.id], profile.version == rank.version else { return nil }
            return Suggestion(profile: profile, score: rank.score)
        }
        return Deck(stage: ranking.stage, suggestions: suggestions, viewerPlace: ranking.place)
    }

    private func ranking(for viewer: UserID) async throws -> Ranking {
        guard let profile = try await profiles.profile(of: viewer) else { throw EdgeError.notFound }
        guard let place = profile.place else { throw MatchingError.locationRequired }
        let interestedIn = profile.preferences.interestedIn
        let found = try await namespace.value(viewer, tags: [.user(viewer), .deck(of: viewer)]) { dependencies in
            try await rank(viewer, at: place, seeking: interestedIn, dependencies)
        }
        guard let found else { throw EdgeError.notFound }
        return found
    }

    /// Makes a ranking. The snapshot begins after all that it could depend on is declared; what it looked at is known at its end.
    /// - Parameters:
    ///   - place: where the viewer was a moment ago.
    ///   - interestedIn: whom the viewer sought a moment ago.
    private func rank(
        _ viewer: UserID, at place: Coordinate, seeking interestedIn: GenderSet, _ dependencies: Dependencies
    ) async throws -> Ranking {
        let gender = interestedIn.genders.count == 1 ? interestedIn.genders.first : nil
        let everybody = CacheTag.people(in: .world, gender: nil)
        let declared = Region.allCovering(place)
        dependencies.depend(on: everybody)
        for region in declared { dependencies.depend(on: .people(in: region, gender: gender)) }
        let ranking = try await rankings.ranking(for: query(viewer), standing: standings.standing(of: viewer))
        var needed: [CacheTag] = []
        if ranking.reach != .nowhere {
            let regions = Region.covering(ranking.place, radius: ranking.reach.radius)
            let isAsDeclared = ranking.place == place && ranking.interestedIn == interestedIn
            needed =
                isAsDeclared && regions.allSatisfy(declared.contains)
                ? regions.map { .people(in: $0, gender: gender) } : [everybody]
        }
        dependencies.narrow(to: [.user(viewer), .deck(of: viewer)] + needed)
        return ranking
    }

    func query(_ viewer: UserID) -> DeckQuery {
        DeckQuery(
            viewer: viewer, limit: Self.depth, now: clock.now(), activeDays: configuration.activeDays,
            skipLifetime: configuration.swipes.skipLifetime, scorer: configuration.scorer)
    }
}

extension SearchReach {
    /// Nil without limit.
    fileprivate var radius: Distance? {
        switch self {
        case .nowhere: Distance(metres: 0)
        case .within(let radius): radius
        case .everywhere: nil
        }
    }
}
