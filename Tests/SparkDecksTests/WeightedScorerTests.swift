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
        #expect(score(scorer, candidate(2, idle: .days(1)), metres: 0, shared: 5) == 975_000)
        #expect(score(scorer, candidate(2, idle: .days(15)), metres: 0, shared: 5) == 850_000)
        #expect(score(scorer, candidate(2, idle: .days(-3)), metres: 0, shared: 5) == 1_000_000)
    }

    @Test("nothing finer than whole kilometres and the three words for the last activity moves a score")
    func coarseness() {
        let scorer = plain
        #expect(score(scorer, candidate(2), metres: 6_501) == score(scorer, candidate(2), metres: 7_499))
        #expect(score(scorer, candidate(2), metres: 6_499) > score(scorer, candidate(2), metres: 6_501))
        #expect(score(scorer, candidate(2), metres: 0) == score(scorer, candidate(2), metres: 2_499))
        // It is noon. Within each word all times are equal, also the hour of the last activity.
        let words: [[Duration]] = [
            [.zero, .hours(12)], [.hours(12) + .seconds(1), .hours(47), .days(6) + .hours(12)],
            [.days(6) + .hours(12) + .seconds(1), .days(12), .days(29)],
        ]
        let scores = words.map { word in Set(word.map { score(scorer, candidate(2, idle: $0), metres: 0) }) }
        #expect(scores.map(\.count) == [1, 1, 1] && Set(scores).count == 3)
    }

    @Test("a score is a whole number of thousandths, so no order reveals more than what is shown")
    func grain() {
        var chance = SplitMix64(seed: 4)
        for _ in 0..<2_000 {
            var other = candidate(2, age: 18 + Int(chance.next() % 60))
            other.counts.tally = SwipeTally(giving: UInt8(chance.next() % 8), receiving: UInt8(chance.next() % 8))
            let found = score(plain, other, metres: Double(chance.next() % 90_000), shared: Int(chance.next() % 4))
            #expect(found % 1_000 == 0)
        }
    }

    @Test("a person who hides the distance is scored only by wide bands")
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
            func tally() -> SwipeTally { SwipeTally(giving: UInt8(draw(8)), receiving: UInt8(draw(8))) }
            other.counts = DailyCounts(
                day: now.dayNumber - UInt16(draw(2)), tallyBefore: tally(), tally: tally(), shownBefore: UInt8(draw(40)),
                shown: UInt8(draw(40)))
            let found = score(
                scorer, other, metres: radius + Double(draw(3)) * 250, shared: draw(shared + 1), likes: draw(3) == 0)
            let scale = scorer.scale(for: candidate(1), at: now)
            #expect(found <= scale.ceiling(TraitLimits(metres: radius, sharedInterests: shared)), "seed \(seed)")
            #expect((0...1_000_000).contains(found))
        }
    }

    @Test("weights are scaled to one; if all are zero they count alike")
    func weights() {
        let doubled = WeightedScorer(.init(distance: 0.9, recency: 0.5, age: 0.3, interests: 0.3), activeDays: 30)
        for metres in stride(from: 0.0, to: 50_000, by: 1_700) {
            #expect(abs(score(doubled, candidate(2), metres: metres) - score(plain, candidate(2), metres: metres)) <= 1_000)
        }
        let none = WeightedScorer(.init(distance: 0, recency: 0, age: 0, interests: 0), activeDays: 30)
        #expect(abs(score(none, candidate(2), metres: 0) - score(none, candidate(2), metres: 0, shared: 5) + 166_667) <= 1_000)
    }

    @Test(
        "a person who likes the viewer comes before one who may, and one who is often liked and likes often before one who does not"
    )
    func likelihood() {
        let scorer = WeightedScorer(
            .init(distance: 0.5, recency: 0, age: 0, interests: 0, likelihood: 0.5), activeDays: 30)
        func person(_ giving: UInt8, _ receiving: UInt8) -> Candidate {
            var person = candidate(2)
            person.counts.tally = SwipeTally(giving: giving, receiving: receiving)
            return person
        }
        #expect(score(scorer, person(2, 2), metres: 0, likes: true) > score(scorer, person(2, 2), metres: 0))
        #expect(score(scorer, person(6, 2), metres: 0) > score(scorer, person(2, 2), metres: 0))
        #expect(score(scorer, person(2, 6), metres: 0) > score(scorer, person(2, 2), metres: 0))
        // One-sided affection is worth less than half on both sides.
        #expect(score(scorer, person(2, 2), metres: 0) > score(scorer, person(0, 7), metres: 0))
    }

    @Test("today's acts move a score tomorrow, and decisions about the viewer never do")
    func daysOfCounts() {
        let scorer = WeightedScorer(
            .init(distance: 0.5, recency: 0, age: 0, interests: 0, likelihood: 0.5), activeDays: 30)
        let today = now.dayNumber
        var other = candidate(2)
        let before = score(scorer, other, metres: 0)
        other.counts = DailyCounts(
            day: today, tallyBefore: SwipeTally(), tally: SwipeTally(giving: 7, receiving: 7), shownBefore: 0, shown: 90)
        #expect(score(scorer, other, metres: 0) == before)
        other.counts.day = today - 1
        #expect(score(scorer, other, metres: 0) > before)
        var viewer = candidate(1)
        func seen() -> Int {
            scorer.scale(for: viewer, at: now).score(
                CandidateTraits(other, metres: 0, sharedInterests: 0, likesViewer: false, at: now))
        }
        let unknown = seen()
        viewer.counts.tally = SwipeTally(giving: viewer.counts.tally.giving, receiving: 0)
        #expect(seen() == unknown)
    }

    @Test("a few swipes do not change a tally")
    func levels() {
        let nobody = SwipeTally()
        for passes in 0...3 {
            #expect(SwipeTally(likesGiven: 0, passesGiven: passes, likesReceived: 1, passesReceived: passes) == nobody)
        }
        #expect(SwipeTally(likesGiven: 500, passesGiven: 0, likesReceived: 0, passesReceived: 500).giving == 7)
        #expect(SwipeTally(likesGiven: 500, passesGiven: 0, likesReceived: 0, passesReceived: 500).receiving == 0)
        #expect(SwipeTally(likesGiven: -4, passesGiven: -4, likesReceived: .max, passesReceived: 0).receiving == 7)
        #expect(SwipeTally(rawValue: 0xFF) == .best && SwipeTally(giving: 99, receiving: 99) == .best)
    }

    @Test("the counts of a day survive packing")
    func packedCounts() {
        var chance = SplitMix64(seed: 11)
        for _ in 0..<1_000 {
            let counts = DailyCounts(
                day: UInt16(truncatingIfNeeded: chance.next()), tallyBefore: SwipeTally(rawValue: UInt8(chance.next() % 256)),
                tally: SwipeTally(rawValue: UInt8(chance.next() % 256)), shownBefore: UInt8(chance.next() % 256),
                shown: UInt8(chance.next() % 256))
            #expect(DailyCounts(day: counts.day, packed: counts.packed) == counts)
        }
    }

    @Test("people who cannot be among the best are rejected by score and hash, and nobody else")
    func admission() {
        var chance = SplitMix64(seed: 12)
        let viewer = UserID(rawValue: 1)
        var best = BestCandidates(limit: 20)
        var turnedAway = 0
        for _ in 0..<5_000 {
            let rank = DeckRank(
                score: Int(chance.next() % 10), candidate: UserID(rawValue: Int64(chance.next() % 1_000_000) + 1), version: 1,
                viewer: viewer)
            let mayEnter = best.mayAdmit(rank.score, candidate: rank.id.rawValue, viewer: viewer)
            let before = best.ranks
            best.offer(rank)
            if !mayEnter {
                turnedAway += 1
                #expect(best.ranks == before)
            } else if best.ranks == before {
                #expect(before.contains(rank))
            }
            #expect(best.threshold == (best.ranks.count < 20 ? nil : best.ranks.last?.score))
        }
        #expect(turnedAway > 4_000)
    }

    @Test("a person who was shown too little yesterday comes before one who was shown enough")
    func exposure() {
        let scorer = WeightedScorer(
            .init(distance: 0.5, recency: 0, age: 0, interests: 0, exposure: 0.5), activeDays: 30, leastShown: 20)
        func shown(_ count: UInt8, day: UInt16, before: UInt8 = 0) -> Int {
            var person = candidate(2)
            (person.counts.day, person.counts.shown, person.counts.shownBefore) = (day, count, before)
            return score(scorer, person, metres: 0)
        }
        let today = now.dayNumber
        #expect(shown(0, day: today - 1) == 1_000_000)
        #expect(shown(10, day: today - 1) == 750_000)
        #expect(shown(20, day: today - 1) == 500_000)
        #expect(shown(255, day: today - 1) == 500_000)
        #expect(shown(255, day: today - 2) == 1_000_000)
        #expect(shown(255, day: today) == 1_000_000)
        #expect(shown(0, day: today, before: 20) == 500_000)
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
