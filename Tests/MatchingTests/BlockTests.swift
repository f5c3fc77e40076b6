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
            let policy = BlockVisibility(store: fixture.store)
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
}
