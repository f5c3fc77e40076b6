import SparkCore
import SparkDecks
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

@Suite("The explanation of a deck") struct WhyTests {
    @Test("counts are rounded down to fives, and fewer than five are none")
    func rounding() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(40) { person in
                switch person.id {
                case 2...5: person.isPaused = true
                case 6...9: person.birthDate = CivilDate(daysSinceEpoch: -5_000)
                case 10...16: person.interestedIn = GenderSet([.man])
                case 17...30: person.place = Coordinate(latitude: 49.9, longitude: 2.3522)
                default: break
                }
                if person.id == 1 {
                    person.maxAge = 40
                    person.isAgeHard = false
                }
            }
            let reasons = try await fixture.service.reasons(for: UserID(rawValue: 1))
            #expect(
                reasons.census
                    == {
                        var census = DeckCensus()
                        (census.around, census.age, census.theirs, census.left) = (14, 4, 0, 10)
                        (census.addedByDistance) = 0
                        return census
                    }())
            let json = try JSONParser.parse(JSONWriter.bytes(of: reasons))
            #expect(json["around"]?.integer == 10)
            #expect(json["left"]?.integer == 10)
            let removed = (json["removed"]?.array ?? []).map { ($0["filter"]?.string ?? "", $0["people"]?.integer ?? -1) }
            #expect(removed.map(\.0) == ["gender", "inactive", "age", "their_preferences", "decided"])
            #expect(removed.map(\.1) == [0, 0, 0, 0, 0])
        }
    }

    @Test("an incognito person is counted nowhere")
    func incognito() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(20) { $0.isIncognito = $0.id > 1 }
            #expect(try await fixture.service.reasons(for: UserID(rawValue: 1)).census == DeckCensus())
        }
    }

    @Test(
        "people who may not be seen, who exclude the viewer by a hard limit, or who passed are counted nowhere; the viewer's own acts are"
    )
    func hidden() async throws {
        try await withServer(Fixture.start()) { fixture in
            func settle(_ number: Int64?, _ change: (inout WorldPerson) -> Void = { _ in }) async throws {
                try await fixture.settle(20) { person in
                    if let number, person.id == number { change(&person) }
                }
            }
            let me = UserID(rawValue: 1)
            func census() async throws -> DeckCensus { try await fixture.service.reasons(for: me).census }
            try await settle(nil)
            #expect(try await census().around == 19)
            let far = Coordinate(latitude: 49.2, longitude: 2.3522)
            for change in [
                { $0.isPaused = true }, { $0.isClosed = true }, { $0.isIncognito = true },
                { $0.interestedIn = GenderSet([.man]) },
                { ($0.minAge, $0.maxAge) = (50, 60) }, { ($0.place, $0.maxDistanceKilometres) = (far, 10) },
            ] as [(inout WorldPerson) -> Void] {
                try await settle(5, change)
                let found = try await census()
                #expect(found.around == 18 && found.left == 18 && found.theirs + found.decided == 0)
            }
            // A soft limit hides nobody.
            try await settle(5) { ($0.minAge, $0.maxAge, $0.isAgeHard) = (50, 60, false) }
            #expect(try await census().theirs == 1)
            try await settle(nil)
            try await fixture.service.block(me, by: UserID(rawValue: 5))
            try await fixture.service.block(UserID(rawValue: 6), by: me)
            try await fixture.swipe(7, 1, .like)
            let match = try #require(try await fixture.swipe(1, 7, .like))
            try await fixture.swipe(8, 1, .like)
            try await fixture.swipe(1, 8, .like)
            try await fixture.service.unmatch(match.match.id, by: UserID(rawValue: 7))
            try await fixture.swipe(1, 9, .pass)
            try await fixture.swipe(1, 10, .like)
            try await fixture.swipe(10, 1, .pass)
            try await fixture.swipe(11, 1, .pass)
            var found = try await census()
            #expect(
                found.around == 15 && found.decided == 2 && found.left == 13, "a pass and a like of the viewer's, but no match")
            fixture.server.clock.advance(by: .hours(24))
            found = try await census()
            #expect(
                found.around == 14 && found.decided == 2 && found.left == 12,
                "an undecided person who passed is gone the next day")
            #expect(try await fixture.deck(1).count == 12)
        }
    }

    @Test("the number that loosening adds equals what the deck then gains")
    func loosening() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(60) { person in
                person.gender = person.id % 3 == 0 ? .man : .woman
                person.birthDate = CivilDate(daysSinceEpoch: Int64(person.id % 20) * 400)
                person.maxDistanceKilometres = 20_000
                if person.id % 4 == 0 { person.place = Coordinate(latitude: 49.4, longitude: 2.3522) }
                if person.id == 1 {
                    (person.minAge, person.maxAge, person.maxDistanceKilometres) = (38, 45, 50)
                    person.interestedIn = GenderSet([.woman])
                }
            }
            let user = UserID(rawValue: 1)
            let census = try await fixture.service.reasons(for: user).census
            func grown(_ change: @escaping @Sendable (inout Preferences) -> Void) async throws -> Int {
                let before = try await fixture.people.own(user)?.profile.preferences
                _ = try await fixture.people.change(user) { own, _ in
                    change(&own.profile.preferences)
                    return .profile
                }
                let deck = try await fixture.deck(1)
                _ = try await fixture.people.change(user) { own, _ in
                    if let before { own.profile.preferences = before }
                    return .profile
                }
                return deck.count - census.left
            }
            #expect(try await fixture.deck(1).count == census.left)
            #expect(census.left > 0)
            #expect(try await grown { ($0.minAge, $0.maxAge) = (33, 50) } == census.addedByAge)
            #expect(try await grown { $0.maxDistanceKilometres = 100 } == census.addedByDistance)
            #expect(try await grown { $0.interestedIn = .everyone } == census.addedByGender)
            #expect(census.addedByAge > 0 && census.addedByDistance > 0 && census.addedByGender > 0)
        }
    }

    @Test("the operator sees every filter and the candidate's position")
    func explanation() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(4) { person in
                if person.id == 3 { person.maxAge = 20 }
            }
            let explainer = try fixture.server.port((any PairExplaining).self)
            func explain(_ candidate: Int64) async throws -> PairExplanation? {
                try await explainer.explain(UserID(rawValue: candidate), for: UserID(rawValue: 1))
            }
            func failing(_ explanation: PairExplanation?) -> [String] {
                explanation?.checks.filter { !$0.holds }.map(\.name) ?? ["none"]
            }
            let good = try await explain(2)
            #expect(failing(good) == [] && good?.stage == "nearby" && good?.position != nil)
            let other = try await explain(3)
            #expect(failing(other) == ["candidate accepts the viewer's age"] && other?.stage == nil && other?.position == nil)
            try await fixture.swipe(1, 2, .pass)
            #expect(failing(try await explain(2)) == ["viewer has not decided"])
            try await fixture.service.block(UserID(rawValue: 4), by: UserID(rawValue: 1))
            #expect(failing(try await explain(4)) == ["no block"])
            #expect(try await explain(99) == nil)
        }
    }
}
