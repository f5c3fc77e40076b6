import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("Swipes") struct SwipeTests {
    @Test("a like answered by a like makes one match")
    func match() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            #expect(try await fixture.swipe(1, 2, .like) == nil)
            await fixture.server.drainEvents()
            #expect(fixture.events.takeNames() == ["matching.like_received"])
            let match = try #require(try await fixture.swipe(2, 1, .superlike))
            #expect(match.card.id == UserID(rawValue: 1))
            await fixture.server.drainEvents()
            let created = fixture.events.all(MatchCreated.self)
            #expect(created.map(\.match) == [match.match.id])
            #expect(created.map(\.users) == [[UserID(rawValue: 1), UserID(rawValue: 2)]])
            #expect(fixture.events.takeNames() == ["matching.match_created"])

            let again = try await fixture.swipe(1, 2, .like)
            #expect(again?.match.id == match.match.id, "the same action answers with the match")
            #expect(await refusal { try await fixture.swipe(1, 2, .pass) } == "matching.already_matched")
            #expect(await refusal { try await fixture.swipe(1, 2, .superlike) } == "matching.already_matched")
            await fixture.server.drainEvents()
            #expect(fixture.events.takeNames() == [])
            #expect(try fixture.faults() == [])
        }
    }

    @Test("passes and skips make no match and send nothing")
    func noMatch() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            try await fixture.swipe(1, 2, .like)
            await fixture.server.drainEvents()
            _ = fixture.events.takeNames()
            #expect(try await fixture.swipe(2, 1, .skip) == nil)
            #expect(try await fixture.swipe(2, 1, .pass) == nil)
            await fixture.server.drainEvents()
            #expect(fixture.events.takeNames() == [])
            #expect(try await fixture.swipe(2, 1, .like) != nil, "the later swipe replaces the earlier one")
        }
    }

    @Test("a like is announced once a day, not when it is repeated, raised, or undone and given again")
    func likesAreToldOnce() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            for action in [SwipeAction.like, .like, .superlike, .pass, .superlike] { try await fixture.swipe(1, 2, action) }
            await fixture.server.drainEvents()
            func told() -> [Bool] { fixture.events.all(LikeReceived.self).map(\.isSuperlike) }
            #expect(told() == [false])
            fixture.server.clock.advance(by: .hours(24))
            for action in [SwipeAction.like, .pass, .superlike] { try await fixture.swipe(1, 2, action) }
            _ = try await fixture.service.undoLastSwipe(of: UserID(rawValue: 1))
            try await fixture.swipe(1, 2, .like)
            await fixture.server.drainEvents()
            #expect(told() == [false, true], "the next day announces the first new like")
        }
    }

    @Test(
        "people who are unknown, closed, blocked in either direction, paused, incognito or unmatched cannot be swiped on, nor can the caller"
    )
    func refused() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(8) { person in
                person.isClosed = person.id == 2
                person.isPaused = person.id == 6
                person.isIncognito = person.id >= 7
            }
            try await fixture.service.block(UserID(rawValue: 3), by: UserID(rawValue: 1))
            try await fixture.service.block(UserID(rawValue: 1), by: UserID(rawValue: 4))
            for target in [Int64(2), 3, 4, 6, 7, 77] {
                for action in SwipeAction.allCases {
                    #expect(await refusal { try await fixture.swipe(1, target, action) } == "request.not_found", "\(target)")
                }
            }
            try await fixture.swipe(8, 1, .like)
            #expect(try await fixture.swipe(1, 8, .like) != nil, "an incognito person is seen by those they like")
            #expect(await refusal { try await fixture.swipe(1, 1, .like) } == "matching.self")
            try await fixture.swipe(1, 5, .like)
            let match = try #require(try await fixture.swipe(5, 1, .like))
            try await fixture.service.unmatch(match.match.id, by: UserID(rawValue: 1))
            for action in SwipeAction.allCases {
                #expect(await refusal { try await fixture.swipe(1, 5, action) } == "request.not_found")
                #expect(await refusal { try await fixture.swipe(5, 1, action) } == "request.not_found")
            }
            #expect(try fixture.faults() == [])
        }
    }

    @Test("likes that cross make exactly one match per pair, each event once")
    func race() async throws {
        try await withServer(Fixture.start()) { fixture in
            let pairs = 2_000
            try await fixture.settle(2 * pairs)
            let service = fixture.service
            let answers = try await withThrowingTaskGroup(of: (Int64, MatchView?).self) { group in
                for pair in 0..<Int64(pairs) {
                    let (a, b) = (UserID(rawValue: 2 * pair + 1), UserID(rawValue: 2 * pair + 2))
                    group.addTask { (pair, try await service.swipe(Swipe(user: a, target: b, action: .like))) }
                    group.addTask { (pair, try await service.swipe(Swipe(user: b, target: a, action: .superlike))) }
                    if pair % 10 == 0 {
                        group.addTask { (pair, try await service.swipe(Swipe(user: a, target: b, action: .like))) }
                    }
                }
                return try await group.reduce(into: [Int64: Set<MatchID>]()) { answers, answer in
                    if let match = answer.1 { answers[answer.0, default: []].insert(match.match.id) }
                }
            }
            #expect(answers.count == pairs)
            #expect(answers.values.allSatisfy { $0.count == 1 })
            await fixture.server.drainEvents()
            let created = fixture.events.all(MatchCreated.self)
            #expect(created.count == pairs)
            #expect(Set(created.map(\.match)) == Set(answers.values.flatMap { $0 }))
            #expect(Set(created.map(\.conversation)).count == pairs)
            #expect(fixture.events.all(LikeReceived.self).count == pairs)
            #expect(try fixture.faults() == [])
        }
    }

    @Test("an undone swipe is gone and the person comes back, but the like stays spent")
    func undo() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=2"])) { fixture in
            try await fixture.settle(5)
            let me = UserID(rawValue: 1)
            #expect(await refusal { try await fixture.service.undoLastSwipe(of: me) } == "matching.nothing_to_undo")
            // All within one millisecond: the last one is the last one.
            try await fixture.swipe(1, 4, .like)
            try await fixture.swipe(1, 2, .like)
            try await fixture.swipe(1, 3, .pass)
            #expect(await refusal { try await fixture.swipe(1, 5, .like) } == "matching.daily_limit")
            #expect(
                try await fixture.service.undoLastSwipe(of: me) == Swipe(user: me, target: UserID(rawValue: 3), action: .pass))
            #expect(
                try await fixture.service.undoLastSwipe(of: me) == Swipe(user: me, target: UserID(rawValue: 2), action: .like))
            #expect(Set(try await fixture.deck(1)) == [2, 3, 5])
            #expect(await refusal { try await fixture.swipe(1, 5, .like) } == "matching.daily_limit")
            try await fixture.swipe(1, 5, .pass)
            fixture.server.clock.advance(by: .seconds(300))
            #expect(await refusal { try await fixture.service.undoLastSwipe(of: me) } == "matching.nothing_to_undo")
        }
    }

    @Test("a swipe that made a match is not undone by either side")
    func undoOfMatch() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            try await fixture.swipe(1, 2, .like)
            try await fixture.swipe(2, 1, .like)
            for user in [Int64(1), 2] {
                let code = await refusal { try await fixture.service.undoLastSwipe(of: UserID(rawValue: user)) }
                #expect(code == "matching.undo_matched")
            }
            #expect(try fixture.faults() == [])
        }
    }

    @Test("likes and superlikes have separate limits, which restart at midnight UTC")
    func limits() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=3", "matching.superlikes_per_day=1"])) { fixture in
            try await fixture.settle(12)
            for target in Int64(2)...4 { try await fixture.swipe(1, target, .like) }
            try await fixture.swipe(1, 2, .like)
            try await fixture.swipe(1, 5, .superlike)
            do {
                try await fixture.swipe(1, 6, .like)
                Issue.record("the fourth like of the day was taken")
            } catch let error as MatchingError {
                #expect(error.code == "matching.daily_limit")
                #expect(error.status == 429)
                #expect(error.isTemporary)
                #expect(error.retryAfter == .hours(12), "the clock stands at noon")
            }
            #expect(await refusal { try await fixture.swipe(1, 6, .superlike) } == "matching.daily_limit")
            try await fixture.swipe(1, 6, .pass)
            try await fixture.swipe(1, 7, .skip)
            fixture.server.clock.advance(by: .hours(12) - .milliseconds(1))
            #expect(await refusal { try await fixture.swipe(1, 8, .like) } == "matching.daily_limit")
            fixture.server.clock.advance(by: .milliseconds(1))
            try await fixture.swipe(1, 8, .like)
            try await fixture.swipe(1, 9, .superlike)
        }
    }

    @Test("likes and superlikes are spent when given, whatever happens to them that day")
    func spent() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=4", "matching.superlikes_per_day=3"])) { fixture in
            try await fixture.settle(20)
            let me = UserID(rawValue: 1)
            var given = 0
            for target in Int64(2)...9 {
                if await refusal({ try await fixture.swipe(1, target, .superlike) }) == nil { given += 1 }
                _ = try? await fixture.service.undoLastSwipe(of: me)
            }
            #expect(given == 3)
            // A like that is raised, or becomes a pass and a like again, counts each time.
            try await fixture.swipe(1, 10, .like)
            try await fixture.swipe(1, 10, .like)
            for _ in 0..<3 {
                try await fixture.swipe(1, 10, .pass)
                try await fixture.swipe(1, 10, .like)
            }
            #expect(await refusal { try await fixture.swipe(1, 11, .like) } == "matching.daily_limit")
            #expect(await refusal { try await fixture.swipe(1, 10, .superlike) } == "matching.daily_limit")
            fixture.server.clock.advance(by: .hours(12))
            try await fixture.swipe(1, 11, .like)
            try await fixture.swipe(1, 12, .superlike)
        }
    }
}
