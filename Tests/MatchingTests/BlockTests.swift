import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

@Suite("Blocks, reports and unmatching") struct BlockTests {
    private let one = UserID(rawValue: 1)
    private let two = UserID(rawValue: 2)
    private let three = UserID(rawValue: 3)

    @Test("a block ends the match, hides both ways at once, and is announced once")
    func block() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            try await fixture.swipe(1, 2, .like)
            let match = try #require(try await fixture.swipe(2, 1, .like))
            await fixture.server.drainEvents()
            _ = fixture.events.takeNames()
            try await fixture.service.block(two, by: one)
            try await fixture.service.block(two, by: one)
            await fixture.server.drainEvents()
            #expect(fixture.events.all(MatchEnded.self).map(\.match) == [match.match.id])
            #expect(fixture.events.takeNames().sorted() == ["matching.match_ended", "matching.user_blocked"])
            for user in [one, two] {
                #expect(try await fixture.service.matches(of: user, after: .newest, limit: 10).items.isEmpty)
                #expect(try await fixture.deck(user.rawValue) == [3])
            }
            for user in [one, two] { try await fixture.service.unmatch(match.match.id, by: user) }
            await fixture.server.drainEvents()
            #expect(fixture.events.takeNames().isEmpty, "a match that is over is not ended again")
            try await fixture.service.unblock(two, by: one)
            try await fixture.service.unblock(two, by: one)
            await fixture.server.drainEvents()
            #expect(fixture.events.takeNames() == ["matching.user_unblocked"])
            #expect(try await fixture.deck(1) == [3], "once matched, never again")
            #expect(try fixture.faults() == [])
        }
    }

    @Test("a blocked person may block, too, and people who left can be blocked; the caller and unknown identifiers are refused")
    func refused() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3) { $0.isClosed = $0.id == 3 }
            try await fixture.service.block(two, by: one)
            try await fixture.service.block(one, by: two)
            #expect(await refusal { try await fixture.service.block(one, by: one) } == "matching.self")
            #expect(await refusal { try await fixture.service.unblock(one, by: one) } == "matching.self")
            #expect(await refusal { try await fixture.service.block(three, by: one) } == nil)
            #expect(
                await refusal { try await fixture.service.block(two, by: three) } == "request.not_found",
                "people who left cannot act"
            )
            let unknown = UserID(rawValue: 99)
            #expect(await refusal { try await fixture.service.block(unknown, by: one) } == "request.not_found")
            #expect(await refusal { try await fixture.service.unblock(unknown, by: one) } == nil)
        }
    }

    @Test("whatever the other person does, even leaving for good, a match can be ended, and a block and a report are accepted")
    func protection() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(6)
            let registry = PersonalDataRegistry(manifests: [MatchingModule.manifest])
            var ids: Set<ReportID> = []
            for target in Int64(2)...5 {
                try await fixture.swipe(target, 1, .like)
                let match = try #require(try await fixture.swipe(1, target, .like)).match.id
                let other = UserID(rawValue: target)
                switch target {
                case 2: try await fixture.service.block(one, by: other)
                case 3, 5:
                    let people = fixture.people
                    try await fixture.server.storage.write { try people.setClosed(true, user: other, in: $0) }
                    try await fixture.service.unmatch(match, by: one)
                default: try await fixture.service.unmatch(match, by: other)
                }
                if target == 5 {
                    try await fixture.server.storage.write { transaction in
                        try registry.erase(other, in: transaction.session)
                        try transaction.session.script(
                            "DELETE FROM profiles_users WHERE id = 5; INSERT INTO accounts_erased (id) VALUES (5)")
                    }
                }
                try await fixture.service.block(other, by: one)
                ids.insert(
                    try await fixture.service.report(Report(reporter: one, target: other, category: .other, text: "")))
            }
            #expect(ids.count == 4)
            #expect(try await fixture.service.blocks(of: one, after: .newest, limit: 10).items.count == 4)
            #expect(try fixture.faults() == [])
        }
    }

    @Test("only the two in a match can end it, and it ends once, however often it is ended")
    func unmatch() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            try await fixture.swipe(1, 2, .like)
            let match = try #require(try await fixture.swipe(2, 1, .like))
            #expect(await refusal { try await fixture.service.unmatch(match.match.id, by: three) } == "request.not_found")
            try await fixture.service.unmatch(match.match.id, by: one)
            for user in [two, one] { try await fixture.service.unmatch(match.match.id, by: user) }
            #expect(await refusal { try await fixture.service.unmatch(match.match.id, by: three) } == "request.not_found")
            #expect(await refusal { try await fixture.service.unmatch(MatchID(rawValue: 77), by: one) } == "request.not_found")
            await fixture.server.drainEvents()
            #expect(fixture.events.all(MatchEnded.self).map(\.users) == [[one, two]])
        }
    }

    @Test("a report is kept, even about a person who blocked the reporter")
    func report() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3) { $0.isClosed = $0.id == 3 }
            try await fixture.service.block(one, by: two)
            let report = Report(reporter: one, target: two, category: .fake, text: "words")
            let id = try await fixture.service.report(report)
            await fixture.server.drainEvents()
            #expect(fixture.events.all(UserReported.self).map(\.report) == [id])
            _ = try await fixture.service.report(Report(reporter: one, target: three, category: .spam, text: ""))
            for target in [one, UserID(rawValue: 99)] {
                let code = await refusal {
                    try await fixture.service.report(Report(reporter: one, target: target, category: .spam, text: ""))
                }
                #expect(code == (target == one ? "matching.self" : target == three ? nil : "request.not_found"))
            }
        }
    }

    @Test(
        "blocked and unmatched people do not exist for each other, paused ones for their matches, incognito ones for those they like"
    )
    func visibility() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(6) { person in
                person.isIncognito = person.id >= 3 && person.id <= 4
                person.isPaused = person.id >= 5
            }
            let profiles = try fixture.server.port((any ProfileReading).self)
            let policy = fixture.visibility
            func sees(_ viewer: Int64, _ target: Int64) async throws -> Bool {
                let profile = try #require(try await profiles.profile(of: UserID(rawValue: target)))
                return try await policy.maySee(profile, viewer: UserID(rawValue: viewer))
            }
            #expect(try await sees(1, 2))
            try await fixture.service.block(two, by: one)
            #expect(try await !sees(1, 2))
            #expect(try await !sees(2, 1))
            #expect(try await sees(3, 3))
            #expect(try await !sees(1, 3))
            try await fixture.swipe(3, 1, .like)
            #expect(try await sees(1, 3))
            #expect(try await !sees(2, 3))
            #expect(Set(try await fixture.deck(4)) == [1, 2])
            #expect(try await !sees(1, 5))
            try await fixture.swipe(5, 1, .like)
            #expect(try await !sees(1, 5), "a like does not end a pause")
            try await fixture.server.storage.write { transaction in
                try transaction.session.script(
                    "INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at) VALUES (1, 1, 1, 5, 1)")
            }
            #expect(try await sees(1, 5))
            try await fixture.service.unmatch(MatchID(rawValue: 1), by: UserID(rawValue: 5))
            #expect(try await !sees(1, 5))
            #expect(try await !sees(5, 1))
        }
    }

    /// Whether somebody sees another person, asked of the policy.
    private func sees(_ viewer: Int64, _ target: Int64, _ fixture: Fixture) async throws -> Bool {
        let profiles = try fixture.server.port((any ProfileReading).self)
        let profile = try #require(try await profiles.profile(of: UserID(rawValue: target)))
        return try await fixture.visibility.maySee(profile, viewer: UserID(rawValue: viewer))
    }

    /// Brings the relations of both people into memory.
    private func remember(_ fixture: Fixture) async throws {
        for user in [one, two] {
            _ = try await fixture.service.dealer.standings.standing(of: user)
            #expect(fixture.service.dealer.standings.known(of: user) != nil)
        }
    }

    @Test("an act that both had in memory before shows at once, for both, and again when memory has caught up")
    func visibilityFromMemory() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            func expect(_ first: Bool, _ second: Bool, _ hint: Comment) async throws {
                for _ in 0..<2 {
                    #expect(try await sees(1, 2, fixture) == first, hint)
                    #expect(try await sees(2, 1, fixture) == second, hint)
                    try await remember(fixture)
                }
            }
            func isIncognito(_ value: Bool) async throws {
                _ = try await fixture.people.change(two) { own, _ in
                    own.profile.visibility.isIncognito = value
                    return .profile
                }
            }
            try await expect(true, true, "strangers")
            for (by, target) in [(one, two), (two, one)] {
                try await fixture.service.block(target, by: by)
                try await expect(false, false, "blocked by \(by)")
                try await fixture.service.unblock(target, by: by)
                try await expect(true, true, "no longer blocked by \(by)")
            }
            try await isIncognito(true)
            try await expect(false, true, "incognito without a like")
            try await fixture.swipe(2, 1, .like)
            try await expect(true, true, "incognito with a like")
            try await fixture.swipe(2, 1, .skip)
            try await expect(false, true, "incognito with a like that was taken back")
            try await fixture.swipe(2, 1, .superlike)
            try await expect(true, true, "incognito with a superlike")
            _ = try await fixture.service.undoLastSwipe(of: two)
            try await expect(false, true, "incognito with a like that was undone")
            try await isIncognito(false)
            try await fixture.swipe(2, 1, .like)
            let match = try #require(try await fixture.swipe(1, 2, .like)).match.id
            try await isIncognito(true)
            try await expect(true, true, "matched")
            try await isIncognito(false)
            try await fixture.service.unmatch(match, by: two)
            try await expect(false, false, "the match is over")
        }
    }

    @Test("what memory rules out is not asked in the store; every refusal is, and so is everything after an invalidation")
    func memoryAnswers() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3) { $0.isPaused = $0.id == 3 }
            try await remember(fixture)
            // Written without an event, so that only the store knows.
            try await fixture.server.storage.write { transaction in
                try transaction.session.script(
                    """
                    INSERT INTO matching_blocks (user_id, target_id, blocked_at) VALUES (1, 2, 1);
                    INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at) VALUES (1, 1, 1, 3, 1);
                    """)
            }
            #expect(try await sees(1, 2, fixture), "answered from memory")
            #expect(try await sees(1, 3, fixture), "a paused person is asked in the store, which knows of a match")
            fixture.server.cache.invalidate([.relations(of: one)])
            #expect(try await !sees(1, 2, fixture))
            #expect(try await sees(2, 1, fixture), "answered from the memory of the other")
            fixture.server.clock.advance(by: .days(1))
            #expect(try await !sees(2, 1, fixture), "relations that are no longer valid are not used")
        }
    }

    @Test("only matched people see a distance beyond the limits, whether or not memory knows the viewer")
    func distanceBeyondLimits() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            let profiles = try fixture.server.port((any ProfileReading).self)
            let other = try #require(try await profiles.profile(of: two))
            func shows() async throws -> Bool { try await fixture.visibility.showsDistanceBeyondLimits(of: other, to: one) }
            for isRemembered in [false, true] {
                if isRemembered { try await remember(fixture) }
                #expect(try await !shows())
            }
            try await fixture.swipe(2, 1, .like)
            let match = try #require(try await fixture.swipe(1, 2, .like)).match.id
            #expect(try await shows())
            try await remember(fixture)
            #expect(try await shows())
            try await fixture.service.unmatch(match, by: one)
            #expect(try await !shows())
        }
    }
}
