import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

@Suite("Reports and their evidence") struct ReportTests {
    private let registry = PersonalDataRegistry(manifests: [MatchingModule.manifest])
    private let one = UserID(rawValue: 1)
    private let two = UserID(rawValue: 2)

    private func report(_ fixture: Fixture, by reporter: Int64 = 1, of target: Int64 = 2, _ text: String = "words") async throws
        -> String
    {
        try await fixture.service.report(
            Report(
                reporter: UserID(rawValue: reporter), target: UserID(rawValue: target), category: .harassment, text: text)
        ).wire
    }

    @Test("blocks and reports work in every state of the other account")
    func everyState() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(7) { person in
                person.isClosed = person.id == 2
                person.isPaused = person.id == 3
                person.isIncognito = person.id == 4
            }
            try await fixture.service.block(one, by: UserID(rawValue: 5))
            try await fixture.swipe(1, 6, .like)
            let match = try #require(try await fixture.swipe(6, 1, .like))
            try await fixture.service.unmatch(match.match.id, by: UserID(rawValue: 6))
            try await fixture.server.storage.write {
                try $0.session.script("INSERT INTO accounts_erased (id) VALUES (70)")
            }
            for target in [2, 3, 4, 5, 6, 7, 70] as [Int64] {
                _ = try await report(fixture, of: target)
                try await fixture.service.block(UserID(rawValue: target), by: one)
                try await fixture.service.unblock(UserID(rawValue: target), by: one)
            }
            #expect(await refusal { try await report(fixture, of: 99) } == "request.not_found")
            #expect(try fixture.count("matching_reports") == 7)
        }
    }

    @Test("a block of a person who closed the account holds when they are back")
    func sticks() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            try await fixture.swipe(1, 2, .like)
            _ = try #require(try await fixture.swipe(2, 1, .like))
            let people = fixture.people
            try await fixture.server.storage.write { try people.setClosed(true, user: UserID(rawValue: 2), in: $0) }
            try await fixture.service.block(two, by: one)
            try await fixture.server.storage.write { try people.setClosed(false, user: UserID(rawValue: 2), in: $0) }
            #expect(try await fixture.service.matches(of: two, after: .newest, limit: 10).items.isEmpty)
            #expect(await refusal { try await fixture.swipe(2, 1, .like) } == "request.not_found")
        }
    }

    @Test("a conversation identifies the other person, also after an unmatch, and only to its two members")
    func byConversation() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            try await fixture.swipe(1, 2, .like)
            let match = try #require(try await fixture.swipe(2, 1, .like)).match
            try await fixture.service.unmatch(match.id, by: two)
            #expect(try await fixture.service.person(.conversation(match.conversation), for: one) == two)
            #expect(try await fixture.service.person(.conversation(match.conversation), for: two) == one)
            #expect(
                await refusal { try await fixture.service.person(.conversation(match.conversation), for: UserID(rawValue: 3)) }
                    == "request.not_found")
        }
    }

    @Test("the profile is kept as it was, once per version")
    func profile() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            let first = try await report(fixture)
            for _ in 0..<3 { _ = try await report(fixture) }
            _ = try await fixture.people.change(two) { own, _ in
                own.profile.about = "harmless"
                own.profile.name = "Another"
                return .profile
            }
            let second = try await report(fixture)
            #expect(try fixture.count("matching_evidence") == 5)
            #expect(try fixture.count("matching_evidence_profiles") == 2)
            let before = try await fixture.server.operate("report.show", ["report": .string(first)])
            #expect(before["profile"]?["name"]?.string == "Person 2" && before["text"]?.string == "words")
            #expect(before["reporters_of_target"]?.integer == 1, "five reports by one person count as one reporter")
            let after = try await fixture.server.operate("report.show", ["report": .string(second)])
            #expect(after["profile"]?["name"]?.string == "Another" && after["profile"]?["about"]?.string == "harmless")
            #expect(!JSONWriter.string(of: after).contains("latitude"))
        }
    }

    @Test("evidence outlives the erasure of both, without a trace of the reporter, and ends when its time is over")
    func apartFromErasure() async throws {
        try await withServer(Fixture.start(["matching.evidence_days=10"])) { fixture in
            try await fixture.settle(4)
            let id = try await report(fixture)
            _ = try await report(fixture, by: 3)
            for user in [two, one] {
                try await fixture.server.storage.write { [registry] in try registry.erase(user, in: $0.session) }
            }
            let shown = try await fixture.server.operate("report.show", ["report": .string(id)])
            #expect(shown["text"]?.string == "words" && shown["profile"]?["name"]?.string == "Person 2")
            #expect(
                shown["reporter_id"] == .null && shown["target_id"]?.string == two.wire && shown["target_erased"]?.bool == true)
            #expect(shown["reporters_of_target"]?.integer == 2, "an erased reporter still counts as one")
            fixture.server.clock.advance(by: .days(9))
            try await fixture.retention.sweep()
            let closed = try await fixture.server.operate("report.close", ["report": .string(id), "decision": "warned"])
            #expect(closed["decision"]?.string == "warned")
            fixture.server.clock.advance(by: .days(9))
            try await fixture.retention.sweep()
            #expect(try fixture.count("matching_evidence") == 1, "the decision restarted its time")
            fixture.server.clock.advance(by: .days(2))
            try await fixture.retention.sweep()
            for table in ["matching_evidence", "matching_evidence_profiles", "matching_reports WHERE target_id = 2"] {
                #expect(try fixture.count(table) == 0, "\(table)")
            }
        }
    }

    @Test("many reports of somebody who was erased count as one, as before")
    func erasedReporterCountsOnce() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(4)
            for _ in 0..<4 { _ = try await report(fixture) }
            let last = try await report(fixture, by: 3)
            try await fixture.server.storage.write { [registry] in try registry.erase(one, in: $0.session) }
            let shown = try await fixture.server.operate("report.show", ["report": .string(last)])
            #expect(shown["reporters_of_target"]?.integer == 2)
        }
    }

    @Test("the reported person's export has no trace of a report; the reporter's has their own")
    func exports() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(2)
            let id = try await report(fixture, "secret words")
            let (theirs, own) = try fixture.server.storage.readNow { session in
                (try registry.export(two, from: session), try registry.export(one, from: session))
            }
            let text = JSONWriter.string(of: theirs)
            #expect(!text.contains("secret") && !text.contains(one.wire) && !text.contains("rep_"))
            #expect(own["matching_reports"]?[0]?["text"]?.string == "secret words")
            #expect(own["matching_evidence"]?[0]?["report_id"]?.string == id)
        }
    }

    @Test("reports are listed newest first, by state and person, and decided once")
    func operations() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(4)
            var ids: [String] = []
            for target in [2, 3, 2] as [Int64] {
                fixture.server.clock.advance(by: .seconds(1))
                ids.append(try await report(fixture, of: target))
            }
            func list(_ members: JSONValue = [:]) async throws -> [String?] {
                (try await fixture.server.operate("report.list", members)["items"]?.array ?? []).map { $0["id"]?.string }
            }
            #expect(try await list() == ids.reversed())
            #expect(try await list(["target": .string(two.wire), "limit": 1]) == [ids[2]])
            #expect(try await list(["target": .string(two.wire), "before": .string(ids[2])]) == [ids[0]])
            let text = JSONWriter.string(of: try await fixture.server.operate("report.list"))
            #expect(!text.contains("words"))
            _ = try await fixture.server.operate("report.close", ["report": .string(ids[1]), "decision": "none", "note": "joke"])
            #expect(try await list() == [ids[2], ids[0]])
            #expect(try await list(["state": "closed"]) == [ids[1]])
            #expect(try await list(["state": "all"]).count == 3)
            for members in [
                ["report": .string(ids[1]), "decision": "none"], ["report": .string(ids[0]), "decision": "maybe"],
                ["report": .string(ids[0]), "decision": "none", "note": "Free text"],
                ["report": "rep_0000000000001", "decision": "none"], ["report": .string(ids[0])],
            ] as [JSONValue] {
                await #expect("\(members)") {
                    try await fixture.server.operate("report.close", members)
                } throws: { $0 is any ClientError }
            }
            let last = try fixture.server.storage.readNow { try AuditLog.lines(limit: 100, in: $0) }.first {
                $0.action == "report.close"
            }
            #expect(last?.subjects == [ids[1], UserID(rawValue: 3).wire, "none", "joke"])
            #expect(try fixture.server.check().filter { $0.contains("audit") } == [])
        }
    }
}
