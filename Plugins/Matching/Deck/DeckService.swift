import SparkCache
import SparkCore
import SparkDecks
import SparkKit

/// Serves decks from cached rankings. Each deck equals one that is made for the request. Its bytes are kept and sent again while
/// nothing has changed that they depend on; see `KeptDeck`.
///
/// A ranking holds more people than a deck, each with identifier, score and version. What invalidates it, and what does not:
///
/// - The viewer swipes on, blocks or matches a candidate: this only removes people. They are left out of the deck, and the rest
///   of the ranking stays valid. So a viewer swipes through a whole ranking before another is made.
/// - A candidate changed, moved, paused or left: the version differs or the candidate is missing, and the ranking is made again.
/// - Another person's own change may bring that person into the ranking or forward in it. That person is within the searched
///   circle, and the regions that cover the circle are the ranking's tags. Nobody beyond the circle can score enough.
/// - An event between two people brings a candidate back (an undone swipe, a lifted block): tag `deck`.
/// - Another person passes on the viewer or undoes a pass: nothing changes until the day does. Otherwise the deck would
///   reveal it.
/// - The viewer changed: tag `user`. The day changed, and ages with it: the ranking records its day.
/// - A skip of the viewer expires and its target returns: the ranking records when.
/// - People are active or like the viewer, which changes scores a little: the short lifetime covers this.
struct DeckService: Sendable {
    /// The most people in a ranking; no less than the longest deck.
    static let depth = 128
    /// How many rankings are made for one deck while its people keep changing.
    private static let attempts = 4

    /// Two minutes bound the age of what no event covers. Such short-lived values are not spilled to disk.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("matches:suggestions", lifetime: .minutes(2))
        policy.isSpilled = false
        policy.isPrefetched = true
        return policy
    }

    /// Answers live as long as rankings. They are worth a few microseconds each, so they are neither spilled nor prefetched.
    static var answerPolicy: NamespacePolicy {
        var policy = NamespacePolicy("matches:answers", lifetime: .minutes(2))
        policy.isSpilled = false
        return policy
    }

    let rankings: Rankings
    let profiles: any ProfileReading
    let standings: RelationsCache
    let clock: any WallClock
    let configuration: MatchingConfiguration
    let cache: Cache
    let namespace: CacheNamespace<UserID, Ranking>
    let answers: CacheNamespace<UserID, KeptDeck>

    init(
        configuration: MatchingConfiguration, store: any MatchingStore, rankings: Rankings, profiles: any ProfileReading,
        context: ModuleContext
    ) throws {
        self.init(
            rankings: rankings, profiles: profiles,
            standings: try RelationsCache(store: store, skipLifetime: configuration.swipes.skipLifetime, context: context),
            clock: context.clock, configuration: configuration, cache: context.cache,
            namespace: try context.namespace(Self.policy), answers: try context.namespace(Self.answerPolicy))
        // Prefetching makes a returning user's deck in advance. The namespace holds this closure, so the closure holds the
        // namespace weakly.
        let (standings, clock, cache, answers) = (standings, clock, cache, answers)
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let dealer = DeckService(
                rankings: rankings, profiles: profiles, standings: standings, clock: clock, configuration: configuration,
                cache: cache, namespace: namespace, answers: answers)
            // Best effort: the next request makes the ranking. A viewer without a place has none.
            _ = try? await dealer.ranking(for: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }

    private init(
        rankings: Rankings, profiles: any ProfileReading, standings: RelationsCache, clock: any WallClock,
        configuration: MatchingConfiguration, cache: Cache, namespace: CacheNamespace<UserID, Ranking>,
        answers: CacheNamespace<UserID, KeptDeck>
    ) {
        self.rankings = rankings
        self.profiles = profiles
        self.standings = standings
        self.clock = clock
        self.configuration = configuration
        self.cache = cache
        self.namespace = namespace
        self.answers = answers
    }

    /// A viewer's deck: the best candidates, best first.
    /// - Parameter limit: at most `depth`.
    /// - Throws: `MatchingError.locationRequired`, `EdgeError.notFound`.
    func deck(for viewer: UserID, limit: Int) async throws -> DeckAnswer {
        precondition(limit <= Self.depth)
        for _ in 0..<Self.attempts {
            let standing = try await standings.standing(of: viewer)
            let ranking = try await ranking(for: viewer)
            if let front = front(of: ranking, standing: standing, limit: limit) {
                if let kept = answers.peek(viewer), kept.answers(front, of: ranking) { return kept.answer }
                // Stamped before the profiles are read: a change from here on makes the kept answer stale.
                let people = cache.dependencies(on: front.map { .user($0.id) })
                let answer = try await answer(front, of: ranking)
                if answer.ranks.count == front.count {
                    answers.put(viewer, KeptDeck(answer, of: ranking, people: people), tags: [.user(viewer), .deck(of: viewer)])
                    return answer
                }
            }
            namespace.remove(viewer)
        }
        // People change faster than rankings are made. A fresh ranking is used without the people who changed since.
        let standing = try await standings.standing(of: viewer)
        let ranking = try await rankings.ranking(for: query(viewer), standing: standing)
        return try await answer(Array(ranking.ranks.prefix(limit)), of: ranking)
    }

    /// The front of a ranking without the people who are excluded now; nil if this ranking can no longer answer.
    private func front(of ranking: Ranking, standing: ViewerRelations, limit: Int) -> [DeckRank]? {
        let now = clock.now()
        guard ranking.day == now.date, now < ranking.validUntil else { return nil }
        var front: [DeckRank] = []
        front.reserveCapacity(min(limit, ranking.ranks.count))
        for rank in ranking.ranks where !standing.excludes(rank.id.rawValue) {
            if front.count == limit { break }
            front.append(rank)
        }
        // When a stage is exhausted, the ranking must be made again for the next one.
        guard !front.isEmpty || ranking.ranks.isEmpty, front.count == limit || ranking.isComplete else { return nil }
        return front
    }

    /// The deck of the ranked people whose profiles are unchanged since.
    private func answer(_ ranks: [DeckRank], of ranking: Ranking) async throws -> DeckAnswer {
        let found = try await profiles.profiles(of: ranks.map(\.id))
        var (shown, items): ([DeckRank], [SuggestionView]) = ([], [])
        shown.reserveCapacity(found.count)
        items.reserveCapacity(found.count)
        // Both lists have the same order; people who are missing or closed are left out of the second.
        var next = found.startIndex
        for rank in ranks where next < found.endIndex && found[next].id == rank.id {
            let person = found[next]
            next += 1
            guard person.profile.version == rank.version else { continue }
            shown.append(rank)
            items.append(
                SuggestionView(
                    card: ProfileCard(person, viewerPlace: ranking.place, today: ranking.day), score: rank.score))
        }
        let body = JSONWriter.bytes(of: SuggestionList(items: items, stage: ranking.stage))
        return DeckAnswer(stage: ranking.stage, ranks: shown, body: body)
    }

    private func ranking(for viewer: UserID) async throws -> Ranking {
        guard let person = try await profiles.writtenProfile(of: viewer) else { throw EdgeError.notFound }
        guard let place = person.profile.place else { throw MatchingError.locationRequired }
        let interestedIn = person.profile.preferences.interestedIn
        let found = try await namespace.value(viewer, tags: [.user(viewer), .deck(of: viewer)]) { dependencies in
            try await rank(viewer, at: place, seeking: interestedIn, dependencies)
        }
        guard let found else { throw EdgeError.notFound }
        return found
    }

    /// Makes a ranking. All possible dependencies are declared before its snapshot begins; afterwards they are narrowed to what
    /// it read.
    /// - Parameters:
    ///   - place: the viewer's place a moment ago.
    ///   - interestedIn: the genders that the viewer sought a moment ago.
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

    /// The query for a viewer's ranking under the configured rules.
    func query(_ viewer: UserID) -> DeckQuery {
        DeckQuery(
            viewer: viewer, limit: Self.depth, now: clock.now(), activeDays: configuration.activeDays,
            skipLifetime: configuration.swipes.skipLifetime, scorer: configuration.scorer)
    }
}

extension SearchReach {
    /// The radius of the search; nil without limit.
    fileprivate var radius: Distance? {
        switch self {
        case .nowhere: Distance(metres: 0)
        case .within(let radius): radius
        case .everywhere: nil
        }
    }
}
