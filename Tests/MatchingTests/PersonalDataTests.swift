import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("Personal data") struct PersonalDataTests {
    private let registry = PersonalDataRegistry(manifests: [MatchingModule.manifest])

    private func fill(_ fixture: Fixture) async throws {
        try await fixture.settle(6)
        for (user, target, action) in [
            (1, 2, .like), (2, 1, .like), (1, 3, .pass), (3, 1, .superlike), (4, 1, .skip), (5, 1, .pass), (5, 6, .like),
        ] as [(Int64, Int64, SwipeAction)] {
            try await fixture.swipe(user, target, action)
        }
        let (one, four, five) = (UserID(rawValue: 1), UserID(rawValue: 4), UserID(rawValue: 5))
        try await fixture.service.block(five, by: one)
        try await fixture.service.block(one, by: four)
        _ = try await fixture.service.report(Report(reporter: one, target: five, category: .spam, text: "secret words"))
        _ = try await fixture.service.report(Report(reporter: four, target: one, category: .other, text: "about one"))
    }

    @Test("an export has what the person did, and nothing that others did to them")
    func export() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fill(fixture)
            let export = try fixture.server.storage.readNow { try registry.export(UserID(rawValue: 1), from: $0) }
            let swipes = try #require(export["matching_swipes"]?.array)
            #expect(swipes.map { $0["action"]?.string } == ["like", "pass"])
            #expect(swipes.first?["target_id"]?.string == UserID(rawValue: 2).wire)
            #expect(export["matching_matches"]?[0]?["user_id"]?.string == UserID(rawValue: 2).wire)
            #expect(export["matching_blocks"]?.array?.count == 1)
            #expect(export["matching_reports"]?.array?.count == 1)
            let text = JSONWriter.string(of: export)
            #expect(text.contains("secret words"))
            #expect(!text.contains("about one"))
            #expect(!text.contains(UserID(rawValue: 4).wire))
            #expect(export["matching_tallies"]?[0] == ["likes_given": 1, "passes_given": 1])
            #expect(export["matching_spent"]?[0] == ["spent_on": "2026-03-01", "likes": 1, "superlikes": 0])
            #expect(!text.contains("received") && !text.contains("shown"))
        }
    }

    @Test(
        "an erasure leaves no act and no word of the person, except for the evidence of reports; others keep their own"
    )
    func erase() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fill(fixture)
            let left = try await fixture.server.storage.write { [registry] transaction -> [Int] in
                let session = transaction.session
                try registry.erase(UserID(rawValue: 1), in: session)
                return try [
                    "matching_swipes WHERE user_id = 1",
                    "matching_matches WHERE user_a = 1 AND (ended_at IS NULL OR erased <> 1)",
                    "matching_blocks WHERE user_id = 1",
                    "matching_reports WHERE reporter_id = 1", "matching_reports WHERE target_id = 1 AND is_target_erased = 0",
                    "matching_reports WHERE target_id <> 1 AND text <> ''", "matching_swipes", "matching_reports",
                    "matching_spent WHERE user_id = 1", "matching_tallies WHERE user_id = 1",
                    "matching_like_notices WHERE user_id = 1 OR target_id = 1",
                    "matching_withdrawn_passes WHERE user_id = 1",
                    "matching_swipes WHERE target_id = 1", "matching_matches WHERE user_a = 1",
                    "matching_blocks WHERE target_id = 1",
                ].map { try session.value("SELECT COUNT(*) FROM \($0)", as: Int.self) ?? -1 }
            }
            #expect(left == [0, 0, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 4, 1, 1])
            #expect(try fixture.faults() == [])
            fixture.server.clock.advance(by: .days(181))
            try await fixture.retention.sweep()
            for table in ["matching_evidence", "matching_evidence_profiles", "matching_evidence_messages"] {
                #expect(try fixture.count(table) == 0, "\(table)")
            }
            #expect(try fixture.count("matching_reports WHERE reporter_id = 1 OR target_id = 1 OR text <> ''") == 0)
            #expect(try fixture.count("matching_reports") == 1)
        }
    }

    @Test("every invariant finds the fault it is for")
    func invariants() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fill(fixture)
            #expect(try fixture.faults() == [])
            func faults(_ sql: String) async throws -> [String] {
                try await fixture.server.storage.write { transaction in
                    let session = transaction.session
                    try session.script("PRAGMA ignore_check_constraints = 1")
                    defer { try? session.script("PRAGMA ignore_check_constraints = 0") }
                    var found: [String] = []
                    try session.script("SAVEPOINT tried")
                    try session.script(sql)
                    for invariant in MatchingInvariants.all { found += try invariant.check(session) }
                    try session.script("ROLLBACK TO tried; RELEASE tried")
                    return found
                }
            }
            #expect(try await faults("UPDATE matching_matches SET user_a = user_b, user_b = user_a").count == 1)
            #expect(try await faults("UPDATE matching_swipes SET action = 0 WHERE user_id = 2 AND target_id = 1").count == 2)
            #expect(try await faults("INSERT INTO matching_blocks VALUES (2, 1, 0)").count == 1)
            #expect(
                try await faults("INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (1, 1, 0, 0)").count
                    == 2
            )
            #expect(try await faults("DELETE FROM matching_reports").count == 1)
            #expect(try await faults("UPDATE matching_tallies SET likes_given = 0").count == 1)
        }
    }
}
