import SparkCore
import SparkDecks
import SparkKit
import SparkStorage

/// A viewer and a person who might be in the viewer's deck.
struct Pair: Sendable {
    let viewer: Candidate
    let candidate: Candidate
    /// The viewer's relations.
    let standing: ViewerRelations
    /// The viewer's decision about the candidate, and the candidate's about the viewer.
    let decision: SwipeAction?
    let answer: SwipeAction?
    /// The candidate's pass on the viewer counts today. Passes count from the next UTC day on.
    let hasPassed: Bool
    let isBlocked: Bool
    let isMatched: Bool
}

extension SpatiaLiteMatchingStore {
    func pair(_ viewer: UserID, _ candidate: UserID, at now: Timestamp, skipLifetime: Duration) async throws -> Pair? {
        try await storage.read { session in
            let people = CandidateReader(session: session, today: now.date)
            guard let one = try people.candidate(viewer), let other = try people.candidate(candidate) else { return nil }
            return Pair(
                viewer: one, candidate: other,
                standing: try ViewerRelations(of: viewer, at: now, skipLifetime: skipLifetime, in: session),
                decision: try PairReader.decision(of: viewer, on: candidate, in: session),
                answer: try PairReader.decision(of: candidate, on: viewer, in: session),
                hasPassed: try ViewerRelations.passers(of: viewer, at: now, in: session).contains(candidate.rawValue),
                isBlocked: try PairReader.isBlocked(viewer, candidate, in: session),
                isMatched: try PairReader.match(of: viewer, candidate, in: session) != nil)
        }
    }
}

/// Explains to an operator, filter by filter, why a candidate is or is not in a viewer's deck.
struct PairExplainer: PairExplaining {
    let service: MatchingService
    let store: any MatchingStore

    func explain(_ candidate: UserID, for viewer: UserID) async throws -> PairExplanation? {
        let query = service.dealer.query(viewer)
        guard let pair = try await store.pair(viewer, candidate, at: query.now, skipLifetime: query.skipLifetime) else {
            return nil
        }
        let ranking = pair.viewer.place == nil ? nil : try await store.ranking(for: query, standing: pair.standing)
        let place = ranking?.ranks.firstIndex { $0.id == candidate }
        let stage = DeckStage.allCases.first { isCandidate(pair, at: $0, query) }
        return PairExplanation(
            checks: people(pair, query) + wishes(pair) + between(pair), stage: stage?.rawValue,
            deckStage: ranking?.stage.rawValue ?? "none", score: score(pair, query, query.scorer), position: place.map { $0 + 1 })
    }

    private func isCandidate(_ pair: Pair, at stage: DeckStage, _ query: DeckQuery) -> Bool {
        let filter = TwoWayFilter(viewer: pair.viewer, stage: stage, activeSince: query.activeSince)
        let id = pair.candidate.id.rawValue
        guard !pair.standing.excludes(id), filter.suits(pair.candidate, hasLikedViewer: pair.standing.isLiked(by: id)),
            let distance = distance(pair)
        else { return false }
        return filter.reaches(pair.candidate, at: distance)
    }

    private func distance(_ pair: Pair) -> Distance? {
        guard let here = pair.viewer.place, let there = pair.candidate.place else { return nil }
        return here.distance(to: there)
    }

    private func score(_ pair: Pair, _ query: DeckQuery, _ scoring: some CandidateScoring) -> Int? {
        distance(pair).map { distance in
            scoring.scale(for: pair.viewer, at: query.now).score(
                CandidateTraits(
                    pair.candidate, metres: distance.metres,
                    sharedInterests: InterestCode.shared(pair.viewer.interests, pair.candidate.interests),
                    likesViewer: pair.standing.isLiked(by: pair.candidate.id.rawValue), at: query.now))
        }
    }

    private func people(_ pair: Pair, _ query: DeckQuery) -> [PairExplanation.Check] {
        let idle = query.now.date.daysSinceEpoch - pair.candidate.lastActiveAt.date.daysSinceEpoch
        let likes = pair.standing.isLiked(by: pair.candidate.id.rawValue)
        return [("viewer", pair.viewer), ("candidate", pair.candidate)].flatMap { name, person in
            [
                PairExplanation.Check("\(name) is open", !person.isClosed, person.isClosed ? "the account is closed" : "open"),
                PairExplanation.Check("\(name) is not paused", !person.isPaused, person.isPaused ? "paused" : "not paused"),
                PairExplanation.Check(
                    "\(name) has a place", person.place != nil, person.place == nil ? "no location yet" : "a location"),
            ]
        } + [
            PairExplanation.Check(
                "candidate is active", pair.candidate.lastActiveAt >= query.activeSince.flooredToSeconds,
                "last active \(idle) days ago, \(query.activeDays) allowed"),
            PairExplanation.Check(
                "candidate is visible", !pair.candidate.isIncognito || likes,
                pair.candidate.isIncognito ? (likes ? "incognito, but likes the viewer" : "incognito") : "not incognito"),
        ]
    }

    private func wishes(_ pair: Pair) -> [PairExplanation.Check] {
        [("viewer", "candidate", pair.viewer, pair.candidate), ("candidate", "viewer", pair.candidate, pair.viewer)].flatMap {
            name, other, seeker, seen in
            var checks = [
                PairExplanation.Check(
                    "\(name) seeks the \(other)'s gender", seeker.preferences.interestedIn.contains(seen.gender),
                    "seeks \(seeker.preferences.interestedIn.genders.map(\.wire).joined(separator: ", ")); \(seen.gender.wire)"),
                PairExplanation.Check(
                    "\(name) accepts the \(other)'s age", seeker.accepts(age: seen.age, at: .nearby),
                    "\(seeker.preferences.minAge) to \(seeker.preferences.maxAge)\(seeker.preferences.isAgeHard ? ", hard" : ""); \(seen.age)"
                ),
            ]
            if let distance = distance(pair), let reach = seeker.reach(at: .nearby) {
                let kilometres = (distance.metres / 100).rounded() / 10
                checks.append(
                    PairExplanation.Check(
                        "\(name) accepts the distance", distance <= reach,
                        "\(seeker.preferences.maxDistanceKilometres) km\(seeker.preferences.isDistanceHard ? ", hard" : ""); \(kilometres) km"
                    ))
            }
            return checks
        }
    }

    private func answer(_ pair: Pair) -> String {
        guard let answer = pair.answer else { return "no swipe" }
        return answer.wire + ((answer == .pass) == pair.hasPassed ? "" : ", which counts from tomorrow on")
    }

    private func between(_ pair: Pair) -> [PairExplanation.Check] {
        let id = pair.candidate.id.rawValue
        let isSwiped = pair.decision != nil && pair.standing.excludes(id)
        return [
            PairExplanation.Check(
                "viewer has not decided", pair.decision == nil || !isSwiped,
                pair.decision.map { "\($0.wire)\(isSwiped ? "" : ", which has run out")" } ?? "no swipe"),
            PairExplanation.Check("candidate has not passed", !pair.hasPassed, answer(pair)),
            PairExplanation.Check("no block", !pair.isBlocked, pair.isBlocked ? "one of them blocked the other" : "none"),
            PairExplanation.Check("no match yet", !pair.isMatched, pair.isMatched ? "matched now or before" : "none"),
        ]
    }
}
