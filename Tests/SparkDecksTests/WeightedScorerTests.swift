import SparkCore
import Testing

@testable import SparkDecks

@Suite("The weighted score") struct WeightedScorerTests {
    private let now = Timestamp(milliseconds: 1_772_366_400_000)

    private func candidate(
        _ id: Int64, age: Int = 30, idle: Duration = .zero, ages: ClosedRange<Int> = 20...40, hidesDistance: Bool = false
    ) -> Candidate {
        var candidate = Candidate(
            id: UserID(rawValue: id), age: age, gender: .woman,
            preferences: Preferences(
                interestedIn: .everyone, minAge: ages.lowerBound, maxAge: ages.upperBound, maxDistanceKilometres: 100,
                isAgeHard: true, isDistanceHard: true), lastActiveAt: now - idle, place: nil)
        candidate.hidesDistance = hidesDistance
        return candidate
    }

    private let plain = WeightedScorer(.init(distance: 0.45, recency: 0.25, age: 0.15, interests: 0.15), activeDays: 30)

    private func score(
        _ scorer: WeightedScorer, _ candidate: Candidate, metres: Double, shared: Int = 0, likes: Bool = false
    ) -> Int {
        scorer.scale(for: self.candidate(1), at: now).score(
            CandidateTraits(candidate, metres: metres, sharedInterests: shared, likesViewer: likes, at: now))
    }

    @Test("a perfect candidate scores a million, each term its weight")
    func terms() {
        let scorer = plain
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
        let scorer = plain
        #expect(score(scorer, candidate(2), metres: 6_501) == score(scorer, candidate(2), metres: 7_499))
        #expect(score(scorer, candidate(2), metres: 6_499) > score(scorer, candidate(2), metres: 6_501))
        #expect(score(scorer, candidate(2), metres: 0) == score(scorer, candidate(2), metres: 2_499))
        #expect(
            score(scorer, candidate(2, idle: .hours(25)), metres: 0) == score(scorer, candidate(2, idle: .hours(47)), metres: 0))
    }

    @Test("who hides the distance is scored by wide bands alone")
    func hidden() {
        let scorer = plain
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
            let scorer = WeightedScorer(
                .init(
                    distance: Double(draw(5)), recency: Double(draw(5)), age: Double(draw(5)), interests: Double(draw(5)),
                    likelihood: Double(draw(3)), exposure: Double(draw(3))), activeDays: 30)
            let radius = Double(draw(100_000))
            let shared = draw(7)
            var other = candidate(2, age: 18 + draw(60), idle: .days(draw(40)), hidesDistance: draw(4) == 0)
            other.tally = SwipeTally(giving: UInt8(1 + draw(254)), receiving: UInt8(1 + draw(254)))
            other.exposure = Exposure(day: now.dayNumber, shown: UInt8(draw(40)))
            let found = score(
                scorer, other, metres: radius + Double(draw(3)) * 250, shared: draw(shared + 1), likes: draw(3) == 0)
            let scale = scorer.scale(for: candidate(1), at: now)
            #expect(found <= scale.ceiling(TraitLimits(metres: radius, sharedInterests: shared)), "seed \(seed)")
            #expect((0...1_000_000).contains(found))
        }
    }

    @Test("weights are scaled to one; if all are nothing they count alike")
    func weights() {
        let doubled = WeightedScorer(.init(distance: 0.9, recency: 0.5, age: 0.3, interests: 0.3), activeDays: 30)
        for metres in stride(from: 0.0, to: 50_000, by: 1_700) {
            #expect(abs(score(doubled, candidate(2), metres: metres) - score(plain, candidate(2), metres: metres)) <= 1)
        }
        let none = WeightedScorer(.init(distance: 0, recency: 0, age: 0, interests: 0), activeDays: 30)
        #expect(abs(score(none, candidate(2), metres: 0) - score(none, candidate(2), metres: 0, shared: 5) + 166_667) <= 1)
    }

    @Test("who likes the viewer comes before who may, and who is often liked and likes often before who does not")
    func likelihood() {
        let scorer = WeightedScorer(
            .init(distance: 0.5, recency: 0, age: 0, interests: 0, likelihood: 0.5), activeDays: 30)
        func person(_ giving: UInt8, _ receiving: UInt8) -> Candidate {
            var person = candidate(2)
            person.tally = SwipeTally(giving: giving, receiving: receiving)
            return person
        }
        #expect(score(scorer, person(80, 80), metres: 0, likes: true) > score(scorer, person(80, 80), metres: 0))
        #expect(score(scorer, person(200, 80), metres: 0) > score(scorer, person(80, 80), metres: 0))
        #expect(score(scorer, person(80, 200), metres: 0) > score(scorer, person(80, 80), metres: 0))
        // One-sided affection is worth less than half on both sides.
        #expect(score(scorer, person(77, 77), metres: 0) > score(scorer, person(5, 250), metres: 0))
    }

    @Test("who was not shown enough today stands before who was, until the day ends")
    func exposure() {
        let scorer = WeightedScorer(
            .init(distance: 0.5, recency: 0, age: 0, interests: 0, exposure: 0.5), activeDays: 30, leastShown: 20)
        func shown(_ count: UInt8, day: UInt16) -> Int {
            var person = candidate(2)
            person.exposure = Exposure(day: day, shown: count)
            return score(scorer, person, metres: 0)
        }
        let today = now.dayNumber
        #expect(shown(0, day: today) == 1_000_000)
        #expect(shown(10, day: today) == 750_000)
        #expect(shown(20, day: today) == 500_000)
        #expect(shown(255, day: today) == 500_000)
        #expect(shown(255, day: today - 1) == 1_000_000)
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
