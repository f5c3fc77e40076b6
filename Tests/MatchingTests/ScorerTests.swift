import SparkCore
import SparkKit
import Testing

@testable import SparkMatching

@Suite("Scorer") struct ScorerTests {
    private let now = Timestamp(milliseconds: 1_772_366_400_000)

    private func candidate(
        _ id: Int64, age: Int = 30, idle: Duration = .zero, ages: ClosedRange<Int> = 20...40, hidesDistance: Bool = false
    ) -> Candidate {
        Candidate(
            id: UserID(rawValue: id), age: age, gender: .woman,
            preferences: Preferences(
                interestedIn: .everyone, minAge: ages.lowerBound, maxAge: ages.upperBound, maxDistanceKilometres: 100,
                isAgeHard: true, isDistanceHard: true),
            isPaused: false, isIncognito: false, isClosed: false, hidesDistance: hidesDistance,
            lastActiveAt: now - idle, place: nil)
    }

    private func score(_ scorer: Scorer, _ candidate: Candidate, metres: Double, shared: Int = 0) -> Int {
        scorer.score(
            candidate, for: self.candidate(1), distance: Distance(metres: metres), sharedInterests: shared, at: now)
    }

    @Test("a perfect candidate scores a million, each term its weight")
    func terms() {
        let scorer = MatchingConfiguration.defaults.scorer
        #expect(score(scorer, candidate(2), metres: 0, shared: 5) == 1_000_000)
        #expect(score(scorer, candidate(2), metres: 0, shared: 9) == 1_000_000)
        #expect(score(scorer, candidate(2), metres: 0) == 850_000)
        #expect(score(scorer, candidate(2), metres: 12_000, shared: 5) == 775_000)
        #expect(score(scorer, candidate(2, idle: .days(15)), metres: 0, shared: 5) == 875_000)
        #expect(score(scorer, candidate(2, idle: .days(31)), metres: 0, shared: 5) == 750_000)
        #expect(score(scorer, candidate(2, idle: .days(-3)), metres: 0, shared: 5) == 1_000_000)
    }

    @Test("nothing finer than whole kilometres and whole days moves a score")
    func coarseness() {
        let scorer = MatchingConfiguration.defaults.scorer
        #expect(score(scorer, candidate(2), metres: 6_501) == score(scorer, candidate(2), metres: 7_499))
        #expect(score(scorer, candidate(2), metres: 6_499) > score(scorer, candidate(2), metres: 6_501))
        #expect(score(scorer, candidate(2), metres: 0) == score(scorer, candidate(2), metres: 2_499))
        #expect(
            score(scorer, candidate(2, idle: .hours(25)), metres: 0) == score(scorer, candidate(2, idle: .hours(47)), metres: 0))
    }

    @Test("who hides the distance is scored by wide bands alone")
    func hidden() {
        let scorer = MatchingConfiguration.defaults.scorer
        let other = candidate(2, hidesDistance: true)
        let scores = [0, 10_000, 11_000, 50_000, 51_000, 200_000].map { score(scorer, other, metres: $0) }
        #expect(scores[0] == scores[1])
        #expect(scores[1] > scores[2])
        #expect(scores[2] == scores[3])
        #expect(scores[4] == scores[5])
    }

    @Test("the ceiling holds for everybody farther away", arguments: UInt64(0)..<20)
    func ceiling(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        func draw(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }
        for _ in 0..<2_000 {
            let scorer = Scorer(
                distance: Double(draw(5)), recency: Double(draw(5)), age: Double(draw(5)), interests: Double(draw(5)),
                activeDays: 30)
            let radius = Double(draw(100_000))
            let shared = draw(7)
            let other = candidate(2, age: 18 + draw(60), idle: .days(draw(40)), hidesDistance: draw(4) == 0)
            let found = score(scorer, other, metres: radius + Double(draw(3)) * 250, shared: draw(shared + 1))
            #expect(found <= scorer.ceiling(beyond: Distance(metres: radius), sharedInterests: shared), "seed \(seed)")
            #expect((0...1_000_000).contains(found))
        }
    }

    @Test("weights are scaled to one; if all are nothing they count alike")
    func weights() {
        let doubled = Scorer(distance: 0.9, recency: 0.5, age: 0.3, interests: 0.3, activeDays: 30)
        let plain = MatchingConfiguration.defaults.scorer
        for metres in stride(from: 0.0, to: 50_000, by: 1_700) {
            #expect(abs(score(doubled, candidate(2), metres: metres) - score(plain, candidate(2), metres: metres)) <= 1)
        }
        let none = Scorer(distance: 0, recency: 0, age: 0, interests: 0, activeDays: 30)
        #expect(score(none, candidate(2), metres: 0, shared: 5) == 1_000_000)
        #expect(score(none, candidate(2), metres: 0) == 750_000)
    }

    @Test("the best are kept in order, each once")
    func best() {
        var chance = SplitMix64(seed: 3)
        let ranks = (0..<500).map { _ in
            DeckRank(
                score: Int(chance.next() % 50), candidate: UserID(rawValue: Int64(chance.next() % 200) + 1),
                version: 1, viewer: UserID(rawValue: 1))
        }
        for limit in [1, 7, 1_000] {
            var best = BestCandidates(limit: limit)
            for rank in ranks { best.offer(rank) }
            for rank in ranks { best.offer(rank) }
            #expect(best.ranks == Array(Set(ranks).sorted().prefix(limit)))
        }
    }
}
